using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// What mediators tell each other about who has subscribed to which topic: status (A) and delta (B). What is published goes to the
/// subscribers as it is; the envelopes (C to F) are for publishers without a mediator of their own, and for groups.
/// </summary>
/// <param name="system">The actor system.</param>
internal sealed class TopicSerializer(ExtendedActorSystem system)
    : AllowListSerializer(system, identifier: 9, new DistributedPubSubMessageSerializer(system), new HashSet<string> { "A", "B" });
