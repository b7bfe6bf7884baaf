using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>A message at a recorder.</summary>
/// <param name="From">Name of the node that sent or published it, as the message itself says.</param>
/// <param name="Topic">The topic; null for one that was told.</param>
/// <param name="Number">Its number.</param>
/// <param name="Sender">Address of its sender; null for an actor of the recorder's own system, and for what was published.</param>
public sealed record HeardMessage(string From, string? Topic, long Number, Address? Sender);
