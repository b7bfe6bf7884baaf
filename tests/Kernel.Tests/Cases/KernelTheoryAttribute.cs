using Xunit.Sdk;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>The same as <see cref="KernelFactAttribute"/> for a theory, row by row.</summary>
[XunitTestCaseDiscoverer("Userfault.Kernel.Tests.Cases.KernelTheoryDiscoverer", "Userfault.Kernel.Tests")]
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelTheoryAttribute : TheoryAttribute;
