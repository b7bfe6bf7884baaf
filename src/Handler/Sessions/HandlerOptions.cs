namespace Userfault.Handler;

/// <summary>How a handler serves.</summary>
public sealed record HandlerOptions
{
    /// <summary>How each VM is paged.</summary>
    public PagerSettings Pager { get; init; } = new();

    /// <summary>VMs at once; one more is refused.</summary>
    public int MaxVms { get; init; } = 256;

    /// <summary>Longest time from a connection to the end of its handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Stop a monitor (SIGKILL) whose VM cannot be served any more and that no standby takes: its guest would hang, or
    /// read zeros.
    /// </summary>
    public bool StopsMonitors { get; init; } = true;

    /// <summary>
    /// Longest time without another page in place when the handler is to end and puts the missing ones there.
    /// </summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Takes one line for everything that happens to a VM; not owned.</summary>
    public LineLog Log { get; init; } = LineLog.None;
}
