namespace Userfault.Kernel.Tests.Cases;

/// <summary>The emulated kernel does not work although everything that it needs is here.</summary>
public sealed class KernelException(string message) : Exception(message);
