namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>What may be told to a mediator.</summary>
public interface IDistributedPubSubMessage
{
}
