using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Taking a run of messages. The message that ends the run stays in the queue.</content>
public abstract partial class TestKitBase
{
    /// <summary>Takes messages while <paramref name="filter"/> makes something of them.</summary>
    /// <param name="max">Longest wait in all, dilated; to reach it is no failure.</param>
    /// <param name="filter">Null ends the run.</param>
    /// <param name="msgs">Ends the run at this many messages.</param>
    /// <returns>What <paramref name="filter"/> made of the messages.</returns>
    public IReadOnlyList<T> ReceiveWhile<T>(TimeSpan? max, Func<object, T?> filter, int msgs = int.MaxValue)
        where T : class =>
        ReceiveWhile(filter, max, Timeout.InfiniteTimeSpan, msgs);

    /// <summary>Takes messages while <paramref name="filter"/> makes something of them.</summary>
    /// <param name="max">Longest wait in all, dilated; to reach it is no failure.</param>
    /// <param name="idle">Longest wait for the next message.</param>
    /// <param name="filter">Null ends the run.</param>
    /// <param name="msgs">Ends the run at this many messages.</param>
    /// <returns>What <paramref name="filter"/> made of the messages.</returns>
    public IReadOnlyList<T> ReceiveWhile<T>(
        TimeSpan? max, TimeSpan? idle, Func<object, T?> filter, int msgs = int.MaxValue)
        where T : class =>
        ReceiveWhile(filter, max, idle, msgs);

    /// <summary>Takes messages while <paramref name="filter"/> makes something of them.</summary>
    /// <param name="filter">Null ends the run.</param>
    /// <param name="max">Longest wait in all, dilated; to reach it is no failure.</param>
    /// <param name="idle">Longest wait for the next message; without one there is no such limit.</param>
    /// <param name="msgs">Ends the run at this many messages.</param>
    /// <returns>What <paramref name="filter"/> made of the messages.</returns>
    public IReadOnlyList<T> ReceiveWhile<T>(
        Func<object, T?> filter, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue)
        where T : class
    {
        var limit = RemainingOrDilated(max);
        var idleLimit = idle ?? Timeout.InfiniteTimeSpan;
        var start = Now;
        var accepted = new List<T>();
        MessageEnvelope last = NullMessageEnvelope.Instance;
        while (accepted.Count < msgs && _testState.Queue.TryPeek(out var next, Left(start, limit).Min(idleLimit)))
        {
            if (filter(next.Message) is not { } result)
                break;
            TryReceiveOne(out last, TimeSpan.Zero);
            accepted.Add(result);
        }
        _testState.LastMessage = last;
        _testState.LastWasNoMsg = true;
        return accepted;
    }

    /// <summary>Takes messages while <paramref name="shouldContinue"/> accepts them.</summary>
    /// <param name="shouldContinue">False ends the run.</param>
    /// <param name="max">Longest wait in all, dilated; to reach it is no failure.</param>
    /// <param name="idle">Longest wait for the next message; without one there is no such limit.</param>
    /// <param name="msgs">Ends the run at this many messages.</param>
    /// <param name="shouldIgnoreOtherMessageTypes">Whether other messages are dropped; otherwise they end the run.</param>
    public IReadOnlyList<T> ReceiveWhile<T>(
        Predicate<T> shouldContinue, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue,
        bool shouldIgnoreOtherMessageTypes = true)
        where T : class
    {
        var limit = RemainingOrDilated(max);
        var idleLimit = idle ?? Timeout.InfiniteTimeSpan;
        var start = Now;
        var accepted = new List<T>();
        MessageEnvelope last = NullMessageEnvelope.Instance;
        while (accepted.Count < msgs && _testState.Queue.TryPeek(out var next, Left(start, limit).Min(idleLimit)))
        {
            var message = next.Message as T;
            if (message == null ? !shouldIgnoreOtherMessageTypes : !shouldContinue(message))
                break;
            TryReceiveOne(out last, TimeSpan.Zero);
            if (message != null)
                accepted.Add(message);
        }
        _testState.LastMessage = last;
        _testState.LastWasNoMsg = true;
        return accepted;
    }
}
