using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>A message that a recorder has received.</summary>
/// <param name="From">The node that sent or published it, according to the message itself.</param>
/// <param name="Topic">The topic; null if it was sent directly.</param>
/// <param name="Number">The number that it carries.</param>
/// <param name="Sender">The address of the sender; null if the sender is an actor of the same system, and for published
/// messages.</param>
public sealed record HeardMessage(string From, string? Topic, long Number, Address? Sender);
