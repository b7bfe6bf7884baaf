namespace Akka.Remote.Watching;

/// <summary>I am, as this incarnation.</summary>
internal sealed record WatchHeartbeatAnswer(int Uid) : IUrgentMessage;
