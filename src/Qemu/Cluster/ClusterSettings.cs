using Userfault.Fetch;

namespace Userfault.Qemu;

/// <summary>How guests are restored from the sources of a cluster.</summary>
public sealed record ClusterSettings
{
    /// <summary>How sources are asked.</summary>
    public FetchSettings Fetch { get; init; } = new();

    /// <summary>
    /// How long pages that are wanted may not come before the guest's restore ends, in ns: it is paused then, and can
    /// be recovered.
    /// </summary>
    public long PatienceNs { get; init; } = 30_000_000_000;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told of sources that are given up, in one line each; on any thread.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    internal long NowNs => (long)((Int128)Time.GetTimestamp() * 1_000_000_000 / Time.TimestampFrequency);
}
