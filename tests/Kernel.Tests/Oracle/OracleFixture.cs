using Userfault.Linux;
using Userfault.Mmu.Tests.Oracle;

namespace Userfault.Kernel.Tests.Oracle;

/// <summary>/dev/kvm, opened once for all tests of the oracle, or the reason why it cannot be.</summary>
public sealed class OracleFixture : IDisposable
{
    private readonly KvmDevice? _kvm;
    private readonly HostLayout? _layout;

    public OracleFixture()
    {
        Missing = KvmDevice.WhyMissing() ?? "";
        if (Missing.Length != 0)
            return;
        _kvm = KvmDevice.Open();
        _layout = new HostLayout();
        using var vm = NewVm();
        Facts = KernelFacts.Probe(vm, _layout.HasHugePages);
    }

    /// <summary>Why there is no kernel to compare with; empty where there is.</summary>
    public string Missing { get; }

    public KernelFacts Facts { get; } = KernelFacts.None;

    public HostLayout Layout => _layout ?? throw new InvalidOperationException(Missing);

    /// <summary>A new VM with memory in its first state; the one before must be disposed of.</summary>
    public KernelKvm NewVm() => NewVm(TimeSpan.FromSeconds(10));

    /// <summary>The same with another bound for one KVM_RUN.</summary>
    public KernelKvm NewVm(TimeSpan runBound)
    {
        Layout.Reset();
        return new KernelKvm(_kvm!, Layout) { RunBound = runBound };
    }

    public void Dispose()
    {
        _layout?.Dispose();
        _kvm?.Dispose();
    }
}
