using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>How a guest is restored.</summary>
public sealed record PostcopySettings
{
    /// <summary>Bytes of a page of the destination's, for blocks on pages that are not 4096.</summary>
    public IReadOnlyDictionary<string, ulong> HugePages { get; init; } = new Dictionary<string, ulong>();

    /// <summary>Has the destination postcopy-preempt, and so a second channel for answers?</summary>
    public bool HasPreemptChannel { get; init; }

    /// <summary>Are pages sent that were not requested?</summary>
    public bool Pushes { get; init; } = true;

    /// <summary>Bytes per second of push; 0 is as fast as the destination reads.</summary>
    public long PushBytesPerSecond { get; init; }

    /// <summary>How long only requests are answered, from the beginning; in ns.</summary>
    public long PushAfterNs { get; init; }

    /// <summary>
    /// Pages that are sent first, in their order, also zero ones, also where nothing else is pushed.
    /// </summary>
    public WorkingSet? Replay { get; init; }

    /// <summary>Pages of one section of push. An answer on the same channel waits behind at most this many.</summary>
    public int SectionPages { get; init; } = 16;

    /// <summary>Pages that are fetched ahead of their push, where contents come from elsewhere.</summary>
    public int MaxFetchedAhead { get; init; } = 1024;

    /// <summary>How long a destination that has taken a connection may say nothing; in ns.</summary>
    public long AnswerPatienceNs { get; init; } = long.MaxValue;

    /// <summary>Each page is held back for so long: a network's latency, for experiments. In ns.</summary>
    public long LatencyNs { get; init; }
}
