using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>A request in flight to a simulated server and back.</summary>
internal sealed class SimRequest(
    SimPageSource connection,
    ulong id,
    FetchPriority priority,
    MemoryPageRange[] ranges,
    IPageSink sink
)
{
    public SimPageSource Connection { get; } = connection;

    public ulong Id { get; } = id;

    public FetchPriority Priority { get; } = priority;

    public MemoryPageRange[] Ranges { get; } = ranges;

    public IPageSink Sink { get; } = sink;

    public SimFault Fault { get; set; }
}
