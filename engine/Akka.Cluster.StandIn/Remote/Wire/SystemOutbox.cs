namespace Akka.Remote.Wire;

/// <summary>
/// System messages (watch, unwatch, the word of a death) must not be lost with a connection: each is numbered and kept
/// until the peer acknowledges it; a new connection to the same incarnation begins with what is not acknowledged.
/// </summary>
internal sealed class SystemOutbox(int limit)
{
    private readonly Queue<(long Sequence, byte[] Frame)> _unacknowledged = new();
    private long _next = 1;

    public int Count => _unacknowledged.Count;

    public IEnumerable<byte[]> Unacknowledged => _unacknowledged.Select(static entry => entry.Frame);

    /// <summary>Numbers and keeps a message. Null where the buffer is full: the peer has to be given up then.</summary>
    public byte[]? Add(Action<WireWriter> body)
    {
        if (_unacknowledged.Count >= limit)
            return null;
        var writer = new WireWriter();
        writer.Byte((byte)FrameKind.SystemMessage);
        writer.Int64(_next);
        body(writer);
        var frame = writer.ToArray();
        _unacknowledged.Enqueue((_next++, frame));
        return frame;
    }

    /// <summary>The peer has seen everything up to and with <paramref name="sequence"/>.</summary>
    public void Acknowledge(long sequence)
    {
        if (sequence >= _next)
            throw new WireFormatException($"system message {sequence} acknowledged, {_next - 1} sent");
        while (_unacknowledged.TryPeek(out var oldest) && oldest.Sequence <= sequence)
            _unacknowledged.Dequeue();
    }

    /// <summary>The incarnation these were meant for is gone; the next one counts from 1.</summary>
    public void Reset()
    {
        _unacknowledged.Clear();
        _next = 1;
    }
}
