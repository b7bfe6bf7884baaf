namespace Userfault.Fetch;

/// <summary>Why a source is not asked any more.</summary>
public enum SourceLoss
{
    /// <summary>It said so itself: its connection is gone.</summary>
    ConnectionLost,

    /// <summary>Too many of its answers were wrong.</summary>
    BadAnswers,

    /// <summary>Too many timeouts in a row passed without a page from it.</summary>
    Silent,

    /// <summary>The shell took it out.</summary>
    Removed,
}
