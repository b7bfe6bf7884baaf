namespace Userfault.Cli;

/// <summary>What a guest of touching threads does besides its workload.</summary>
internal sealed record GuestRunSettings
{
    /// <summary>Pages at the end of memory that are given back meanwhile.</summary>
    public ulong BalloonPages { get; init; }

    /// <summary>Share of accesses through the monitor's own mapping, in the secret-free form.</summary>
    public double DeviceShare { get; init; }

    /// <summary>How long nothing may move before the run is given up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Is every page checked at the end, which fetches what is missing?</summary>
    public bool ChecksEveryPage { get; init; } = true;

    /// <summary>Where the threads wait; null for nowhere.</summary>
    public GuestPause? Pause { get; init; }

    /// <summary>What became of the handler, where that is known; returns null while it serves.</summary>
    public Func<string?>? HandlerProblem { get; init; }
}
