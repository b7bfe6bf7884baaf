namespace Userfault.Fetch;

/// <summary>The reason why a source is no longer used.</summary>
public enum SourceLoss
{
    /// <summary>The source reported that its connection is lost.</summary>
    ConnectionLost,

    /// <summary>Too many of its answers were wrong.</summary>
    BadAnswers,

    /// <summary>Too many timeouts in a row passed without a page from it.</summary>
    Silent,

    /// <summary>The shell removed it.</summary>
    Removed,
}
