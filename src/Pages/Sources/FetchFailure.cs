namespace Userfault.Pages;

/// <summary>Why a request for pages will not be answered. Expected in life, so a value and not an exception.</summary>
public enum FetchFailure
{
    /// <summary>The source was closed or its connection was lost.</summary>
    SourceLost,

    /// <summary>The request was cancelled.</summary>
    Cancelled,

    /// <summary>A page lies outside the source's image.</summary>
    OutsideImage,

    /// <summary>The answer was not what was asked for: wrong length, wrong page, wrong checksum.</summary>
    BadAnswer,

    /// <summary>
    /// Background pages that whoever asked has already, as far as the source knows: nothing was sent.
    /// </summary>
    NotNeeded,
}
