using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>Measures answers, from the request that was read to its last byte that the socket took.</summary>
internal sealed class AnswerClock
{
    private readonly Queue<(long EndsAt, long RequestedNs)> _answers = new();

    /// <summary>The waits of all answers that went out.</summary>
    public LatencyHistogram Waits { get; } = new();

    /// <summary>An answer was appended.</summary>
    /// <param name="endsAt">Bytes of the channel up to its end, since the channel's first.</param>
    /// <param name="requestedNs">When its request was read.</param>
    public void Appended(long endsAt, long requestedNs) => _answers.Enqueue((endsAt, requestedNs));

    /// <summary>The socket has taken so many bytes since the channel's first.</summary>
    public void Sent(long bytes, long nowNs)
    {
        while (_answers.TryPeek(out var next) && next.EndsAt <= bytes)
        {
            Waits.Record(nowNs - next.RequestedNs);
            _ = _answers.Dequeue();
        }
    }

    /// <summary>The connection broke: what is not out is requested again.</summary>
    public void Forget() => _answers.Clear();
}
