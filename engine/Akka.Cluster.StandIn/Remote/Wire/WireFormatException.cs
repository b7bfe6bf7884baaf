namespace Akka.Remote.Wire;

/// <summary>A peer sent bytes that are no message of ours. Whoever reads the link closes it.</summary>
internal sealed class WireFormatException(string message) : Exception(message);
