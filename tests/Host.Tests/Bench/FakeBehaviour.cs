namespace Userfault.Host.Tests;

/// <summary>What a fake handler does with the memory that it gets.</summary>
internal enum FakeBehaviour
{
    /// <summary>Puts zeros in place of every page.</summary>
    Serves,

    /// <summary>The same, but one fault in two waits until no other is there.</summary>
    KeepsOneBack,

    /// <summary>Does nothing.</summary>
    Silent,

    /// <summary>Closes the connection.</summary>
    Closes,

    /// <summary>Answers an exit that was not made.</summary>
    AnswersForeign,
}
