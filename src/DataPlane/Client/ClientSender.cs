namespace Userfault.DataPlane;

/// <summary>
/// A client's sending side: frames are appended under the client's lock, and sent under a separate lock by whichever
/// thread flushes. Bytes that the socket does not accept are kept and sent with the next flush.
/// </summary>
internal sealed class ClientSender(IClientTransport transport, Lock clientLock)
{
    private readonly Lock _sendLock = new();
    private byte[] _bytes = new byte[4096];
    private int _from;
    private int _to;

    /// <summary>The frames to send; guarded by the client's lock.</summary>
    public ClientOutput Output { get; } = new();

    /// <summary>Sends everything, as far as the socket accepts it.</summary>
    /// <exception cref="IOException">The connection is lost.</exception>
    public void Flush()
    {
        lock (_sendLock)
        {
            while (Fetch())
            {
                var sent = transport.Send(_bytes.AsSpan(_from, _to - _from));
                if (sent == 0)
                {
                    return;
                }
                _from += sent;
            }
        }
    }

    private bool Fetch()
    {
        if (_from == _to)
        {
            lock (clientLock)
            {
                _from = 0;
                _to = Output.Swap(ref _bytes);
            }
        }
        return _from < _to;
    }
}
