namespace Userfault.Nodes.Tests.Contract;

/// <summary>The processes of the contract suite. They are started once and used by one test after another.</summary>
public sealed class NodeProcesses : IDisposable
{
    // One for each node of a test, and one to replace a killed process.
    private const int Ready = 4;

    private readonly Queue<NodeProcess> _idle = [];
    private readonly object _gate = new();

    /// <summary>Starts the processes.</summary>
    public NodeProcesses() => Fill();

    /// <summary>
    /// The number of clusters so far. Each has its own name, so that nodes of earlier clusters do not interfere.
    /// </summary>
    internal int Clusters { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var process in _idle) process.Dispose();
    }

    /// <summary>Waits until a process has reported something, but only for a moment.</summary>
    internal void Wait()
    {
        lock (_gate) Monitor.Wait(_gate, TimeSpan.FromMilliseconds(20));
    }

    internal NodeProcess Take()
    {
        Fill();
        return _idle.Dequeue();
    }

    internal void Return(NodeProcess process) => _idle.Enqueue(process);

    private void Fill()
    {
        while (_idle.Count < Ready) _idle.Enqueue(new NodeProcess(Changed));
    }

    private void Changed()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }
}
