namespace Userfault.Kernel.Tests.Cases;

/// <summary>Something that the emulated kernel needs is not on this machine; the message names it.</summary>
public sealed class KernelMissingException(string message) : Exception(message);
