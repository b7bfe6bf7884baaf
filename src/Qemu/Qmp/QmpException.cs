namespace Userfault.Qemu;

/// <summary>What QEMU's monitor has refused, or why it could not be asked; one line.</summary>
/// <param name="message">What, without a full stop.</param>
/// <param name="cause">The exception beneath, where there is one.</param>
public sealed class QmpException(string message, Exception? cause = null) : DestinationException(message, cause);
