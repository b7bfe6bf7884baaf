namespace Userfault.Capacity;

/// <summary>Where a request is, in its order.</summary>
internal enum SweepStage : byte
{
    /// <summary>Waits for room in its fetcher's window.</summary>
    Queued,

    /// <summary>Travels there and back.</summary>
    Travelling,

    /// <summary>At its fetcher, which serves one request at a time.</summary>
    AtFetcher,

    /// <summary>On the line into the destination.</summary>
    OnLine,

    /// <summary>At the thread that puts background pages in place.</summary>
    AtPush,

    /// <summary>Here.</summary>
    Here,
}
