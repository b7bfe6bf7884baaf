using Akka.Actor;

namespace Akka.Remote;

/// <summary>What an exception on another node said; the exception itself does not travel.</summary>
public sealed class RemoteFailureException(string message) : AkkaException(message);
