using Xunit.Abstractions;
using Xunit.Sdk;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>Makes a <see cref="KernelTestCase"/> of a <see cref="KernelFactAttribute"/>.</summary>
public sealed class KernelFactDiscoverer(IMessageSink diagnostics) : FactDiscoverer(diagnostics)
{
    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions discoveryOptions,
        ITestMethod testMethod,
        IAttributeInfo factAttribute
    ) =>
        new KernelTestCase(
            DiagnosticMessageSink,
            discoveryOptions.MethodDisplayOrDefault(),
            discoveryOptions.MethodDisplayOptionsOrDefault(),
            testMethod
        );
}
