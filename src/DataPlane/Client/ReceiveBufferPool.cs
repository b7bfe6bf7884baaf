namespace Userfault.DataPlane;

/// <summary>
/// Recycles a client's receive buffers, the most recently used first, because it is still in the cache.
/// </summary>
internal sealed class ReceiveBufferPool
{
    private const int MaxFree = 64;

    private readonly Lock _lock = new();
    private readonly Stack<ReceiveBuffer> _free = new();

    public ReceiveBuffer Rent(ReadOnlySpan<byte> rest)
    {
        ReceiveBuffer? buffer;
        lock (_lock)
        {
            _free.TryPop(out buffer);
        }
        buffer ??= new ReceiveBuffer(this);
        buffer.Reset(rest);
        return buffer;
    }

    public void Return(ReceiveBuffer buffer)
    {
        lock (_lock)
        {
            if (_free.Count < MaxFree)
            {
                _free.Push(buffer);
            }
        }
    }
}
