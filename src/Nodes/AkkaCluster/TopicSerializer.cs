using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// The messages with which mediators exchange their subscriptions: status (A) and delta (B). A published message is
/// sent to the subscribers without an envelope. The envelopes (C to F) are for publishers without a mediator of their
/// own, and for groups.
/// </summary>
/// <param name="system">The actor system.</param>
internal sealed class TopicSerializer(ExtendedActorSystem system)
    : AllowListSerializer(
        system,
        identifier: 9,
        new DistributedPubSubMessageSerializer(system),
        new HashSet<string> { "A", "B" }
    );
