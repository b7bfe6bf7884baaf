namespace Akka.Remote.Watching;

/// <summary>Are you there? Sent to nodes on which somebody here watches an actor.</summary>
internal sealed class WatchHeartbeat : IUrgentMessage
{
    public static WatchHeartbeat Instance { get; } = new();
}
