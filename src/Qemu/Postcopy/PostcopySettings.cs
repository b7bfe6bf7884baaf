namespace Userfault.Qemu;

/// <summary>How a guest is restored.</summary>
internal sealed record PostcopySettings
{
    /// <summary>Bytes of a page of the destination's, for blocks on pages that are not 4096.</summary>
    public IReadOnlyDictionary<string, ulong> HugePages { get; init; } = new Dictionary<string, ulong>();

    /// <summary>Has the destination postcopy-preempt, and so a second channel for answers?</summary>
    public bool HasPreemptChannel { get; init; }

    /// <summary>Are pages sent that nobody requested?</summary>
    public bool Pushes { get; init; } = true;

    /// <summary>Bytes per second of push; 0 is as fast as the destination reads.</summary>
    public long PushBytesPerSecond { get; init; }

    /// <summary>Pages of one section of push. An answer on the same channel waits behind at most this much.</summary>
    public int SectionPages { get; init; } = 32;

    /// <summary>Every answer is held back for so long: a network's latency, for experiments. In ns.</summary>
    public long LatencyNs { get; init; }
}
