using Akka.Actor;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>
/// Expectations of one message. Every wait is the given duration, dilated; without one what is left of the innermost
/// Within; outside of one <c>single-expect-default</c>, dilated.
/// </content>
public abstract partial class TestKitBase
{
    /// <summary>Takes the next message, which must be a <typeparamref name="T"/>.</summary>
    public T ExpectMsg<T>(TimeSpan? duration = null, string? hint = null) =>
        Expect<T>($"a message of type {Describe.Type(typeof(T))}", duration, hint, null);

    /// <summary>Takes the next message, which must equal <paramref name="message"/>.</summary>
    public T ExpectMsg<T>(T message, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>(Describe.MessageAndType(message), timeout, hint, r => AssertEquals(message, r));

    /// <summary>Takes the next message, which <paramref name="isMessage"/> must accept.</summary>
    public T ExpectMsg<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>(Accepted<T>(), timeout, hint, r => AssertAccepted(isMessage(r.Message), r));

    /// <summary>Takes the next message, which must be a <typeparamref name="T"/>, and hands it to <paramref name="assert"/>.</summary>
    public T ExpectMsg<T>(Action<T> assert, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>($"a message of type {Describe.Type(typeof(T))}", timeout, hint, r => assert(r.Message));

    /// <summary>Takes the next message, which <paramref name="isMessageAndSender"/> must accept with its sender.</summary>
    public T ExpectMsg<T>(Func<T, IActorRef, bool> isMessageAndSender, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>(Accepted<T>(), timeout, hint, r => AssertAccepted(isMessageAndSender(r.Message, r.Sender), r));

    /// <summary>Takes the next message and hands it with its sender to <paramref name="assertMessageAndSender"/>.</summary>
    public T ExpectMsg<T>(Action<T, IActorRef> assertMessageAndSender, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>(
            $"a message of type {Describe.Type(typeof(T))}", timeout, hint,
            r => assertMessageAndSender(r.Message, r.Sender));

    /// <summary>Takes the next message, which <paramref name="comparer"/> must take for <paramref name="expected"/>.</summary>
    public T ExpectMsg<T>(T expected, Func<T, T, bool> comparer, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>(
            Describe.MessageAndType(expected), timeout, hint,
            r => _assertions.AssertEqual(expected, r.Message, comparer, "{0}", r.Report()));

    /// <summary>Takes the next message, which must be the <see cref="Terminated"/> of a watched actor.</summary>
    public Terminated ExpectTerminated(IActorRef target, TimeSpan? timeout = null, string? hint = null) =>
        Expect<Terminated>(
            $"Terminated of {Describe.Actor(target)}", timeout, hint,
            r => AssertAccepted(target.Equals(r.Message.ActorRef), r));

    /// <summary>No message may come while the innermost Within lasts, or for <c>single-expect-default</c>.</summary>
    public void ExpectNoMsg() => InternalExpectNoMsg(RemainingOrDefault);

    /// <summary>No message may come for <paramref name="duration"/>, dilated.</summary>
    public void ExpectNoMsg(TimeSpan duration) => InternalExpectNoMsg(Dilated(duration));

    /// <summary>No message may come for <paramref name="milliseconds"/>, dilated.</summary>
    public void ExpectNoMsg(int milliseconds) => ExpectNoMsg(TimeSpan.FromMilliseconds(milliseconds));

    private static string Accepted<T>() => $"a message of type {Describe.Type(typeof(T))} that the predicate accepts";

    private void AssertEquals<T>(T expected, Received<T> received) =>
        _assertions.AssertEqual(expected, received.Message, "{0}", received.Report());

    private void AssertAccepted<T>(bool accepted, Received<T> received) =>
        _assertions.AssertTrue(accepted, "{0}", received.Report());

    // All single expectations come down to this: wait, check the type, let `check` judge the rest.
    private T Expect<T>(string expected, TimeSpan? duration, string? hint, Action<Received<T>>? check)
    {
        var timeout = RemainingOrDilated(duration);
        var start = Now;
        LogCall("Expecting {0} within {1}", expected, timeout);
        if (!TryReceiveOne(out var envelope, timeout))
        {
            Fail(
                $"Expected {expected}, but {Describe.Actor(TestActor)} received nothing within " +
                $"{Describe.Time(timeout)}.{Describe.Hint(hint)}");
        }

        var context = new ReceivedContext(expected, envelope, TestActor, Now - start, hint);
        if (envelope.Message is not T message)
        {
            Fail(context.Report());
            throw new InvalidOperationException(context.Report()); // assertions that do not throw end the test here
        }
        check?.Invoke(new Received<T>(message, context));
        return message;
    }

    private void InternalExpectNoMsg(TimeSpan duration)
    {
        var start = Now;
        LogCall("Expecting no message during {0}", duration);
        if (TryReceiveOne(out var envelope, duration))
        {
            Fail(
                $"Expected no message during {Describe.Time(duration)}, but {Describe.Actor(TestActor)} received " +
                $"{Describe.MessageAndType(envelope.Message)} from {Describe.Actor(envelope.Sender)} after " +
                $"{Describe.Time(Now - start)}.");
        }
        _testState.LastWasNoMsg = true;
    }

    private void Fail(string text)
    {
        LogCall("{0}", text);
        _assertions.Fail("{0}", text);
    }

    private void LogCall(string format, params object[] args)
    {
        if (TestKitSettings.LogTestKitCalls)
            Log.Debug(format, args);
    }
}
