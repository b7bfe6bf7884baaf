namespace Userfault.Handler;

/// <summary>
/// A monitor did not keep to the protocol. The message is one line: what it sent, and what is wrong with it.
/// </summary>
/// <param name="message">The line.</param>
public sealed class ProtocolException(string message) : Exception(message);
