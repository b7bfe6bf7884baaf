using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch;
using Akka.Pattern;
using Akka.Util;

namespace Akka.TestKit.Internal;

/// <summary>
/// A local reference whose actor can be looked at and called. Unless its props name a dispatcher it runs on the calling
/// thread.
/// </summary>
#pragma warning disable CA1036 // order of actor references is Akka's affair
public sealed class InternalTestActorRef : LocalActorRef
#pragma warning restore CA1036
{
    private static long LastNumber;

    private InternalTestActorRef(
        ActorSystemImpl system, Props props, MessageDispatcher dispatcher, MailboxType mailboxType,
        IInternalActorRef supervisor, ActorPath path)
        : base(system, props, dispatcher, mailboxType, supervisor, path)
    {
    }

    /// <summary>The actor as it is now: a restart replaces it.</summary>
    /// <exception cref="IllegalActorStateException">It has been stopped.</exception>
    public ActorBase UnderlyingActor
    {
        get
        {
#pragma warning disable CS0618 // a watch cannot answer here and now
            if (IsTerminated)
                throw new IllegalActorStateException($"The underlying actor of {this} is terminated.");
#pragma warning restore CS0618
            return ((TestActorCell)Cell).UnderlyingActor ?? AskForActor();
        }
    }

    /// <summary>Starts an actor below <paramref name="supervisor"/>, or below the user guardian.</summary>
    public static InternalTestActorRef Create(
        ActorSystem system, Props props, IActorRef? supervisor = null, string? name = null)
    {
        var impl = (ActorSystemImpl)system;
        supervisor ??= impl.Guardian;
        name ??= "$" + Base64Encoding.Base64Encode(Interlocked.Increment(ref LastNumber));
        if (props.Deploy.Dispatcher == Deploy.NoDispatcherGiven)
            props = props.WithDispatcher(CallingThreadDispatcher.Id);

        Reserve(supervisor, name);
        var dispatcher = system.Dispatchers.Lookup(props.Deploy.Dispatcher);
        var mailboxType = system.Mailboxes.GetMailboxType(props, dispatcher.Configurator.Config);
        var actor = new InternalTestActorRef(
            impl, props, dispatcher, mailboxType, (IInternalActorRef)supervisor, supervisor.Path / name);
        actor.Start();
        return actor;
    }

    /// <summary>Has the actor process a message on this thread; what it throws comes to the caller.</summary>
    public void Receive(object message, IActorRef? sender = null)
    {
        var envelope = new Envelope(message, sender is null || sender.IsNobody() ? System.DeadLetters : sender);
        Cell.UseThreadContext(() => Cell.ReceiveMessageForTest(envelope));
    }

    /// <summary>Has the actor watch another.</summary>
    public void Watch(IActorRef subject) => Cell.Watch(subject);

    /// <summary>Has the actor watch another no more.</summary>
    public void Unwatch(IActorRef subject) => Cell.Unwatch(subject);

    /// <inheritdoc/>
    public override string ToString() => $"TestActor[{Path}]";

    /// <inheritdoc/>
    protected override ActorCell NewActorCell(
        ActorSystemImpl system, IInternalActorRef self, Props props, MessageDispatcher dispatcher,
        IInternalActorRef supervisor) => new TestActorCell(system, self, props, dispatcher, supervisor);

    // A name is taken before the child is made, as if the supervisor had made it.
    private static void Reserve(IActorRef supervisor, string name)
    {
        if ((supervisor as ActorRefWithCell)?.Underlying is not ActorCell cell)
            throw new IllegalStateException(
                $"{supervisor} cannot be a supervisor yet: tell it something and await its answer first.");
        cell.ReserveChild(name);
    }

    private ActorBase AskForActor() =>
        this.Ask<ActorBase>(InternalGetActor.Instance, TestKitExtension.For(System).DefaultTimeout)
            .ConfigureAwait(false).GetAwaiter().GetResult();
}
