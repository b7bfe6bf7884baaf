namespace Userfault.Nodes.Tests.Contract;

/// <summary>The processes of the contract suite: started once, used by one test after the other.</summary>
public sealed class NodeProcesses : IDisposable
{
    // As many as a test has nodes, and one that is ready when another is killed.
    private const int Ready = 4;

    private readonly Queue<NodeProcess> _idle = [];
    private readonly object _gate = new();

    /// <summary>Starts them.</summary>
    public NodeProcesses() => Fill();

    /// <summary>Number of clusters so far: each has a name of its own, so that former nodes do not meddle.</summary>
    internal int Clusters { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var process in _idle) process.Dispose();
    }

    /// <summary>Waits until any process has told something, or for a moment.</summary>
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
