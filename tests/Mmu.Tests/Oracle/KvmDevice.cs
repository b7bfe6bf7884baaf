namespace Userfault.Mmu.Tests.Oracle;

/// <summary>/dev/kvm, opened once for all tests of the oracle, or the reason why it cannot be.</summary>
public sealed class KvmDevice : IDisposable
{
    private const int ApiVersion = 12;
    private readonly int _fd = -1;
    private readonly HostLayout? _layout;
    private readonly nint _bitmaps;

    public KvmDevice()
    {
        Missing = WhyMissing(out _fd);
        if (Missing.Length != 0)
            return;
        LibC.InterruptibleBySigUrg();
        _layout = new HostLayout();
        _bitmaps = LibC.Map(0, Page.Size, LibC.ProtRead | LibC.ProtWrite, LibC.MapPrivate | LibC.MapAnonymous);
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
    public unsafe KernelKvm NewVm(TimeSpan runBound)
    {
        Layout.Reset();
        new Span<byte>((void*)_bitmaps, Page.Size).Clear();
        return new KernelKvm(_fd, Layout, (ulong*)_bitmaps) { RunBound = runBound };
    }

    public void Dispose()
    {
        _layout?.Dispose();
        if (_bitmaps != 0)
            LibC.Unmap(_bitmaps, Page.Size);
        if (_fd >= 0)
            LibC.Close(_fd);
    }

    private static string WhyMissing(out int fd)
    {
        fd = -1;
        if (!OperatingSystem.IsLinux())
            return "not Linux";
        if (
            System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            != System.Runtime.InteropServices.Architecture.X64
        )
        {
            return "the guest is assembled for x86-64 only";
        }

        fd = LibC.Open("/dev/kvm", LibC.OpenReadWrite | LibC.OpenCloseOnExec);
        if (fd < 0)
            return $"/dev/kvm cannot be opened: {(Errno)LibC.LastErrno}";
        const nuint getApiVersion = 0xae00;
        var version = LibC.Ioctl(fd, getApiVersion, 0);
        if (version == ApiVersion)
            return "";
        LibC.Close(fd);
        fd = -1;
        return $"/dev/kvm has API version {version}";
    }
}
