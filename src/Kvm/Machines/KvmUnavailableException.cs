namespace Userfault.Kvm;

/// <summary>This machine's KVM lacks a required feature. The message names the feature and the remedy.</summary>
internal sealed class KvmUnavailableException : Exception
{
    /// <summary>No message.</summary>
    public KvmUnavailableException() { }

    /// <summary>With a message.</summary>
    public KvmUnavailableException(string message)
        : base(message) { }

    /// <summary>With a message and its cause.</summary>
    public KvmUnavailableException(string message, Exception inner)
        : base(message, inner) { }
}
