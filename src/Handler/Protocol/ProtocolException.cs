namespace Userfault.Handler;

/// <summary>
/// A monitor did not keep to the protocol. The message is one line: which error, what it sent, and what is wrong with
/// it.
/// </summary>
public sealed class ProtocolException : Exception
{
    /// <summary>One of <see cref="ProtocolError.Other"/>.</summary>
    /// <param name="message">The line.</param>
    public ProtocolException(string message)
        : base(message) { }

    /// <summary>One of the closed set.</summary>
    /// <param name="error">Which; its name begins the message.</param>
    /// <param name="message">The rest of the line.</param>
    public ProtocolException(ProtocolError error, string message)
        : base($"{error}: {message}") => Error = error;

    /// <summary>Which of the closed set.</summary>
    public ProtocolError Error { get; }
}
