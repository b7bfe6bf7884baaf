namespace Akka.Remote;

/// <summary>Heartbeats and membership: may use the reserve of a send buffer that a flood of other messages has filled.</summary>
internal interface IUrgentMessage;
