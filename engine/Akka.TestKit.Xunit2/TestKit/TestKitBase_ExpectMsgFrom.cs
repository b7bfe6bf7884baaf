using Akka.Actor;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Expectations of one message and of who sent it. Waits are those of ExpectMsg.</content>
public abstract partial class TestKitBase
{
    /// <summary>Takes the next message, which must be a <typeparamref name="T"/> from <paramref name="sender"/>.</summary>
    public T ExpectMsgFrom<T>(IActorRef sender, TimeSpan? duration = null, string? hint = null) =>
        Expect<T>(From<T>(sender), duration, hint, r => AssertSender(sender, r));

    /// <summary>Takes the next message, which must equal <paramref name="message"/> and come from <paramref name="sender"/>.</summary>
    public T ExpectMsgFrom<T>(IActorRef sender, T message, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>($"{Describe.MessageAndType(message)} from {Describe.Actor(sender)}", timeout, hint, r =>
        {
            AssertSender(sender, r);
            AssertEquals(message, r);
        });

    /// <summary>Takes the next message, which <paramref name="isMessage"/> must accept, from <paramref name="sender"/>.</summary>
    public T ExpectMsgFrom<T>(IActorRef sender, Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>($"{Accepted<T>()} from {Describe.Actor(sender)}", timeout, hint, r =>
        {
            AssertSender(sender, r);
            AssertAccepted(isMessage(r.Message), r);
        });

    /// <summary>Takes the next message, which both predicates must accept.</summary>
    public T ExpectMsgFrom<T>(
        Predicate<IActorRef> isSender, Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>($"{Accepted<T>()} from a sender that the predicate accepts", timeout, hint, r =>
        {
            AssertAccepted(isSender(r.Sender), r);
            AssertAccepted(isMessage(r.Message), r);
        });

    /// <summary>Takes the next message from <paramref name="sender"/> and hands it to <paramref name="assertMessage"/>.</summary>
    public T ExpectMsgFrom<T>(IActorRef sender, Action<T> assertMessage, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>(From<T>(sender), timeout, hint, r =>
        {
            AssertSender(sender, r);
            assertMessage(r.Message);
        });

    /// <summary>Takes the next message and hands its sender and itself to both actions.</summary>
    public T ExpectMsgFrom<T>(
        Action<IActorRef> assertSender, Action<T> assertMessage, TimeSpan? timeout = null, string? hint = null) =>
        Expect<T>($"a message of type {Describe.Type(typeof(T))}", timeout, hint, r =>
        {
            assertSender(r.Sender);
            assertMessage(r.Message);
        });

    private static string From<T>(IActorRef sender) =>
        $"a message of type {Describe.Type(typeof(T))} from {Describe.Actor(sender)}";

    private void AssertSender<T>(IActorRef expected, Received<T> received) =>
        AssertAccepted(expected.Equals(received.Sender), received);
}
