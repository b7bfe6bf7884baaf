namespace Userfault.Handler;

/// <summary>What is known of whether a page is there.</summary>
internal enum PagePresence : byte
{
    /// <summary>Nothing.</summary>
    Unknown,

    /// <summary>It is not there.</summary>
    Absent,

    /// <summary>It is there.</summary>
    Present,
}
