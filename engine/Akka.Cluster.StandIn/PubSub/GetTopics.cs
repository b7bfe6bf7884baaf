namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>Asks for the topics that anybody has subscribed to: <see cref="CurrentTopics"/>.</summary>
public sealed class GetTopics
{
    private GetTopics()
    {
    }

    public static GetTopics Instance { get; } = new();
}
