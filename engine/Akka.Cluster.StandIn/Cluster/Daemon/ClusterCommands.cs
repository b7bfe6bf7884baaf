using Akka.Actor;

namespace Akka.Cluster.Daemon;

/// <summary>What <see cref="Cluster"/> asks of its daemon.</summary>
internal static class ClusterCommands
{
    public interface ICommand : INoSerializationVerificationNeeded;

    public sealed record JoinTo(Address Address) : ICommand;

    public sealed record JoinSeeds(IReadOnlyList<Address> Seeds) : ICommand;

    public sealed record Leave(Address Address) : ICommand;

    public sealed record Down(Address Address) : ICommand;

    public sealed record Subscribe(IActorRef Subscriber, ClusterEvent.SubscriptionInitialStateMode Mode, IReadOnlyList<Type> Events) : ICommand;

    /// <summary>From one kind of event, or from all.</summary>
    public sealed record Unsubscribe(IActorRef Subscriber, Type? Event) : ICommand;

    public sealed record SendState(IActorRef Receiver) : ICommand;

    public sealed record OnUp(Action Callback) : ICommand;
}
