namespace Userfault.Simulation.Cluster;

/// <summary>
/// The path of messages from one node to another: a connection that is made when there is something to send. When it
/// breaks, messages in flight are lost, and so are those sent for a while afterwards. Messages on this path arrive in
/// order, at most once.
/// </summary>
internal sealed class NodeLink(SimNetwork network, SimHost from, SimHost? to, int port, SimMembershipSettings settings)
{
    private readonly Queue<(long Bytes, Action Arrived)> _waiting = new();
    private SimConnection? _connection;
    private bool _isConnecting;
    private long _gateNs = long.MinValue;

    /// <summary>Sends a message, or drops it.</summary>
    /// <param name="bytes">Its size on the line.</param>
    /// <param name="arrived">Called at the other end.</param>
    public void Send(long bytes, Action arrived)
    {
        if (_connection is { } open)
        {
            open.Send(from, bytes, arrived);
            return;
        }

        if (network.World.NowNs < _gateNs || _waiting.Count == settings.MaxWaitingMessages)
            return;
        _waiting.Enqueue((bytes, arrived));
        if (_isConnecting)
            return;
        _isConnecting = true;
        network.Connect(from, to, port, Opened, _ => Close());
    }

    private void Opened(SimConnection connection)
    {
        (_connection, _isConnecting) = (connection, false);
        connection.CallerClosed = _ => Close();
        while (_waiting.TryDequeue(out var message))
            connection.Send(from, message.Bytes, message.Arrived);
    }

    private void Close()
    {
        _waiting.Clear();
        (_connection, _isConnecting, _gateNs) = (null, false, network.World.NowNs + settings.GateNs);
    }
}
