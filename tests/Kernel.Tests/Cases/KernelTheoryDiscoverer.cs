using Xunit.Abstractions;
using Xunit.Sdk;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>Makes a <see cref="KernelTestCase"/> of each row of a <see cref="KernelTheoryAttribute"/>.</summary>
public sealed class KernelTheoryDiscoverer(IMessageSink diagnostics) : TheoryDiscoverer(diagnostics)
{
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(
        ITestFrameworkDiscoveryOptions discoveryOptions,
        ITestMethod testMethod,
        IAttributeInfo theoryAttribute,
        object[] dataRow
    ) =>
        [
            new KernelTestCase(
                DiagnosticMessageSink,
                discoveryOptions.MethodDisplayOrDefault(),
                discoveryOptions.MethodDisplayOptionsOrDefault(),
                testMethod,
                dataRow
            ),
        ];

    protected override IEnumerable<IXunitTestCase> CreateTestCasesForTheory(
        ITestFrameworkDiscoveryOptions discoveryOptions,
        ITestMethod testMethod,
        IAttributeInfo theoryAttribute
    ) =>
        throw new InvalidOperationException(
            $"{testMethod.Method.Name}: rows must be serializable, since they are sent to another machine"
        );
}
