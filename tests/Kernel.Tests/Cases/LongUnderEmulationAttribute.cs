namespace Userfault.Kernel.Tests.Cases;

/// <summary>
/// A test that takes up to a minute inside of an emulated kernel, and is run there only where
/// <see cref="KernelChoice.LongVariable"/> asks for it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongUnderEmulationAttribute : Attribute;
