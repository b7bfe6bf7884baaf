namespace Userfault.Capacity;

/// <summary>The stages of a request, in order.</summary>
internal enum SweepStage : byte
{
    /// <summary>Waits for room in its fetcher's window.</summary>
    Queued,

    /// <summary>In flight to the fetcher and back.</summary>
    Travelling,

    /// <summary>At its fetcher, which serves one request at a time.</summary>
    AtFetcher,

    /// <summary>On the line into the destination.</summary>
    OnLine,

    /// <summary>At the thread that puts background pages in place.</summary>
    AtPush,

    /// <summary>In place.</summary>
    Here,
}
