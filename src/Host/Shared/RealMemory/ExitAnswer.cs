namespace Userfault.Cli;

/// <summary>What an answer is to a vCPU.</summary>
internal enum ExitAnswer
{
    /// <summary>The one that it waits for.</summary>
    Own,

    /// <summary>The one that it had before.</summary>
    Repeated,

    /// <summary>One to what it did not ask.</summary>
    Foreign,
}
