using Akka.Actor;

namespace Userfault.Cli;

/// <summary>How a migration's cleared bits reach other nodes.</summary>
/// <param name="Publisher">Who broadcasts them.</param>
/// <param name="VmName">The VM's name, unique in the cluster.</param>
internal sealed record Broadcast(IActorRef Publisher, string VmName);
