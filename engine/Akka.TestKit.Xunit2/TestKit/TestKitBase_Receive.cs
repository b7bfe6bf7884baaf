using System.Collections;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Taking messages as they come.</content>
public abstract partial class TestKitBase
{
#nullable disable annotations // the official kit says nothing about null here: none may have come
    /// <summary>Takes the next message; null where none comes in time.</summary>
    /// <param name="max">Longest wait, not dilated; by default <c>single-expect-default</c>, endless where negative.</param>
    public object ReceiveOne(TimeSpan? max = null) => TryReceiveOne(out var envelope, max) ? envelope.Message : null!;

    /// <summary>Takes the next message; null where the wait is cancelled first.</summary>
    public object ReceiveOne(CancellationToken cancellationToken) =>
        TryReceiveOne(out var envelope, Timeout.InfiniteTimeSpan, cancellationToken) ? envelope.Message : null!;
#nullable restore annotations

    /// <summary>Takes the next message with its sender, if one comes in time.</summary>
    /// <param name="envelope">The message, or <see cref="NullMessageEnvelope"/>.</param>
    /// <param name="max">Longest wait, not dilated; by default <c>single-expect-default</c>, endless where negative.</param>
    public bool TryReceiveOne(out MessageEnvelope envelope, TimeSpan? max = null) =>
        TryReceiveOne(out envelope, max, CancellationToken.None);

    /// <summary>Takes the next message with its sender, if one comes in time and before the wait is cancelled.</summary>
    /// <param name="envelope">The message, or <see cref="NullMessageEnvelope"/>.</param>
    /// <param name="max">Longest wait, not dilated; by default <c>single-expect-default</c>, endless where negative.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public bool TryReceiveOne(out MessageEnvelope envelope, TimeSpan? max, CancellationToken cancellationToken)
    {
        var received = _testState.Queue.TryTake(out envelope, GetTimeoutOrDefault(max), cancellationToken);
        if (!received)
            envelope = NullMessageEnvelope.Instance;
        _testState.LastWasNoMsg = false;
        _testState.LastMessage = envelope;
        LogCall(received ? "Received {0}" : "Received nothing: {0}", envelope);
        return received;
    }

    /// <summary>Takes <paramref name="numberOfMessages"/> messages, however long each takes up to the usual limit in all.</summary>
    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages) =>
        InternalReceiveN(numberOfMessages, RemainingOrDefault);

    /// <summary>Takes <paramref name="numberOfMessages"/> messages within <paramref name="max"/>, dilated.</summary>
    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, TimeSpan max)
    {
        max.EnsureIsPositiveFinite(nameof(max));
        return InternalReceiveN(numberOfMessages, Dilated(max));
    }

    /// <summary>Takes and drops messages until one is accepted.</summary>
    public object FishForMessage(Predicate<object> isMessage, TimeSpan? max = null, string hint = "") =>
        FishForMessage<object>(isMessage, max, hint);

    /// <summary>Takes and drops messages until one of type <typeparamref name="T"/> is accepted.</summary>
    public T FishForMessage<T>(Predicate<T> isMessage, TimeSpan? max = null, string hint = "") =>
        FishForMessage(isMessage, null, max, hint);

    /// <summary>Takes messages until one of type <typeparamref name="T"/> is accepted.</summary>
    /// <param name="isMessage">Accepts the message to return.</param>
    /// <param name="allMessages">Is cleared and then filled with the messages before it, unless null.</param>
    /// <param name="max">Longest wait in all, dilated.</param>
    /// <param name="hint">Is added to the report of a failure.</param>
    public T FishForMessage<T>(Predicate<T> isMessage, ArrayList? allMessages, TimeSpan? max = null, string hint = "")
    {
        var limit = RemainingOrDilated(max);
        var start = Now;
        var dropped = new List<MessageEnvelope>();
        allMessages?.Clear();
        while (TryReceiveOne(out var envelope, Left(start, limit)))
        {
            if (envelope.Message is T message && isMessage(message))
                return message;
            dropped.Add(envelope);
            allMessages?.Add(envelope.Message);
        }

        var report =
            $"Expected {Accepted<T>()} within {Describe.Time(limit)}; {Describe.Actor(TestActor)} received only " +
            $"[{string.Join(", ", dropped)}].{Describe.Hint(hint)}";
        Fail(report);
        throw new InvalidOperationException(report); // assertions that do not throw end the test here
    }

    private List<object> InternalReceiveN(int count, TimeSpan max)
    {
        var start = Now;
        var messages = new List<object>();
        while (messages.Count < count)
        {
            if (!TryReceiveOne(out var envelope, Left(start, max)))
            {
                Fail(
                    $"Expected {count} messages within {Describe.Time(max)}, but {Describe.Actor(TestActor)} received " +
                    $"only {messages.Count}: {Describe.Message(messages)}.");
            }
            messages.Add(envelope.Message);
        }
        return messages;
    }
}
