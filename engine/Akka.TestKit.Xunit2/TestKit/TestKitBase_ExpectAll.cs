using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Expectations of several messages, or of one out of several.</content>
public abstract partial class TestKitBase
{
    /// <summary>Takes the next message, which must equal one of <paramref name="messages"/>.</summary>
    public T ExpectMsgAnyOf<T>(params T[] messages) =>
        Expect<T>(
            $"any of {Describe.Message(messages)}", null, null,
            r => AssertAccepted(messages.Contains(r.Message), r));

    /// <summary>Takes as many messages as given; they must be these, in any order.</summary>
    /// <returns>The messages in the order in which they came.</returns>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(params T[] messages) =>
        InternalExpectMsgAllOf(RemainingOrDefault, messages);

    /// <summary>Takes as many messages as given, within <paramref name="max"/> (dilated); they must be these, in any order.</summary>
    /// <returns>The messages in the order in which they came.</returns>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(TimeSpan max, params T[] messages)
    {
        max.EnsureIsPositiveFinite(nameof(max));
        return InternalExpectMsgAllOf(Dilated(max), messages);
    }

    private List<T> InternalExpectMsgAllOf<T>(TimeSpan max, T[] messages)
    {
        var start = Now;
        var received = new List<MessageEnvelope>();
        while (received.Count < messages.Length && TryReceiveOne(out var envelope, Left(start, max)))
            received.Add(envelope);

        var missing = messages.Where(m => !received.Exists(r => r.Message is T t && Equals(t, m))).ToList();
        var unexpected = received.Where(r => !messages.Any(m => r.Message is T t && Equals(t, m))).ToList();
        if (missing.Count > 0 || unexpected.Count > 0 || received.Count < messages.Length)
        {
            Fail(
                $"Expected all of {Describe.Message(messages)} within {Describe.Time(max)}; after " +
                $"{Describe.Time(Now - start)} {Describe.Actor(TestActor)} had received {received.Count} of " +
                $"{messages.Length}: [{string.Join(", ", received)}]. Missing: {Describe.Message(missing)}. " +
                $"Unexpected: [{string.Join(", ", unexpected)}].");
        }
        return received.ConvertAll(r => (T)r.Message);
    }

    // Never negative, which would mean to wait for ever.
    private static TimeSpan Left(TimeSpan start, TimeSpan max)
    {
        var left = max - (Now - start);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }
}
