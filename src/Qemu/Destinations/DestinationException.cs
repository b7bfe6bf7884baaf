namespace Userfault.Qemu;

/// <summary>A destination that cannot be reached, or refuses; one line: the thing, what is wrong, the mend.</summary>
/// <param name="message">The line, without a full stop.</param>
/// <param name="cause">The exception beneath, where there is one.</param>
public class DestinationException(string message, Exception? cause = null) : Exception(message, cause);
