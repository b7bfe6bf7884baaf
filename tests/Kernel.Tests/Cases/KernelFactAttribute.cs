using Xunit.Sdk;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>
/// A fact that needs a kernel with /dev/kvm: it runs here where this machine has one, and inside of an emulated kernel
/// otherwise (<see cref="KernelChoice"/>).
/// </summary>
[XunitTestCaseDiscoverer("Userfault.Kernel.Tests.Cases.KernelFactDiscoverer", "Userfault.Kernel.Tests")]
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelFactAttribute : FactAttribute;
