using System.Globalization;

namespace Userfault.Linux;

/// <summary>
/// A vCPU of the real kernel. One thread runs it and waits inside <see cref="Run"/>, for as long as the guest runs or
/// sleeps on a missing page; any thread may <see cref="Kick"/> it out.
/// </summary>
public sealed unsafe class KvmVcpu : IVcpuRunner
{
    private const ulong Iopl3 = 0x3002;
    private const ulong Iopl0 = 0x2;

    private readonly OwnedFd _fd;
    private readonly byte* _run;
    private readonly nuint _runBytes;
    private readonly Lock _end = new();
    private int _thread;
    private bool _isDisposed;

    internal KvmVcpu(KvmVm vm, OwnedFd fd)
    {
        ThreadKick.Prepare();
        _fd = fd;
        _runBytes = (nuint)
            Errors.Check(Libc.Ioctl(vm.Device.Fd.Number, KvmUapi.GetVcpuMmapSize, 0), "KVM_GET_VCPU_MMAP_SIZE");
        const int readWrite = 3,
            shared = 1;
        _run = (byte*)Libc.Map(null, _runBytes, readWrite, shared, fd.Number, 0);
        if ((nint)_run == -1)
        {
            fd.Dispose();
            throw new LinuxException("mmap kvm_run", Errors.Last);
        }

        SetCpuid(vm);
    }

    /// <summary>Puts the vCPU at the guest program's start, in long mode with paging on.</summary>
    /// <param name="layout">Where the guest's own memory lies.</param>
    /// <param name="number">Whose batch it works through.</param>
    /// <param name="ring">
    /// CPL: 3, or 0. A host that is a VM itself may have to emulate CPL 0, which is slow; CPL 3 runs natively
    /// everywhere.
    /// </param>
    /// <exception cref="LinuxException">The kernel refuses the state.</exception>
    public void Enter(GuestLayout layout, int number, int ring)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (ring is not (0 or 3))
            throw new ArgumentOutOfRangeException(nameof(ring), ring, "a guest runs at CPL 0 or 3");
        KvmSregs sregs = default;
        Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.GetSregs, &sregs), "KVM_GET_SREGS");
        SetLongMode(&sregs, layout, (byte)ring);
        Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.SetSregs, &sregs), "KVM_SET_SREGS");
        var regs = new KvmRegs
        {
            Rip = layout.CodeGpa,
            R8 = layout.BatchGpa(number),
            Rflags = ring == 3 ? Iopl3 : Iopl0,
        };
        Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.SetRegs, &regs), "KVM_SET_REGS");
    }

    /// <inheritdoc/>
    public KvmExit Run()
    {
        var result = Libc.Ioctl(_fd.Number, KvmUapi.Run, 0);
        var errno = result < 0 ? Errors.Last : LinuxErrno.None;
        var reason = *(uint*)(_run + KvmUapi.RunExitReason);
        var union = _run + KvmUapi.RunUnion;
        return errno switch
        {
            LinuxErrno.EINTR => new KvmExit(KvmExitKind.Interrupted),
            LinuxErrno.EAGAIN => new KvmExit(KvmExitKind.Interrupted),
            LinuxErrno.EFAULT when reason == KvmUapi.ExitMemoryFault => new KvmExit(
                KvmExitKind.MemoryFault,
                *(ulong*)(union + KvmUapi.MemoryFaultAddress),
                *(ulong*)(union + KvmUapi.MemoryFaultFlags)
            ),
            LinuxErrno.None => ExitOf(reason, union),
            _ => new KvmExit(KvmExitKind.Unexpected, Text: $"KVM_RUN: {errno} (exit reason {reason})"),
        };
    }

    /// <inheritdoc/>
    public ulong MmioDatum => *(ulong*)(_run + KvmUapi.RunUnion + KvmUapi.MmioData);

    /// <inheritdoc/>
    public void AnswerMmio(ulong datum) => *(ulong*)(_run + KvmUapi.RunUnion + KvmUapi.MmioData) = datum;

    /// <inheritdoc/>
    public void Kick()
    {
        lock (_end)
        {
            if (_isDisposed)
                return;
            // The flag first: a thread that enters between the two is sent away by it, one that is inside by the
            // signal.
            Volatile.Write(ref _run[KvmUapi.RunImmediateExit], 1);
            Interlocked.MemoryBarrier();
            var thread = Volatile.Read(ref _thread);
            if (thread != 0)
                ThreadKick.Send(thread);
        }
    }

    /// <inheritdoc/>
    public void TakeKick()
    {
        Volatile.Write(ref _run[KvmUapi.RunImmediateExit], 0);
        Interlocked.MemoryBarrier();
    }

    /// <inheritdoc/>
    public int Thread => Volatile.Read(ref _thread);

    /// <inheritdoc/>
    public void Adopt() => Volatile.Write(ref _thread, ThreadKick.CurrentThread);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_end)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _ = Libc.Unmap(_run, _runBytes);
            _fd.Dispose();
        }
    }

    private static KvmExit ExitOf(uint reason, byte* union) =>
        reason switch
        {
            KvmUapi.ExitIo when *(ushort*)(union + KvmUapi.IoPort) == GuestProgram.ReportPort => new KvmExit(
                KvmExitKind.BatchDone
            ),
            KvmUapi.ExitMmio => new KvmExit(
                KvmExitKind.Mmio,
                *(ulong*)(union + KvmUapi.MmioAddress),
                IsWrite: union[KvmUapi.MmioIsWrite] != 0,
                Bytes: *(int*)(union + KvmUapi.MmioLength)
            ),
            KvmUapi.ExitIntr => new KvmExit(KvmExitKind.Interrupted),
            KvmUapi.ExitShutdown => new KvmExit(
                KvmExitKind.Unexpected,
                Text: "the guest took an exception and shut down"
            ),
            KvmUapi.ExitInternalError => new KvmExit(
                KvmExitKind.Unexpected,
                Text: string.Create(CultureInfo.InvariantCulture, $"KVM_EXIT_INTERNAL_ERROR, suberror {*(uint*)union}")
            ),
            KvmUapi.ExitFailEntry => new KvmExit(
                KvmExitKind.Unexpected,
                Text: string.Create(CultureInfo.InvariantCulture, $"KVM_EXIT_FAIL_ENTRY, reason 0x{*(ulong*)union:x}")
            ),
            _ => new KvmExit(KvmExitKind.Unexpected, Text: $"exit reason {reason}"),
        };

    private static void SetLongMode(KvmSregs* sregs, GuestLayout layout, byte ring)
    {
        // Selectors name no descriptor that exists: nothing loads a segment after this.
        var code = new KvmSegment
        {
            Limit = ~0u,
            Selector = ring == 3 ? (ushort)0x33 : (ushort)0x10,
            Type = 11,
            Present = 1,
            Dpl = ring,
            S = 1,
            L = 1,
            G = 1,
        };
        var data = new KvmSegment
        {
            Limit = ~0u,
            Selector = ring == 3 ? (ushort)0x2b : (ushort)0x18,
            Type = 3,
            Present = 1,
            Dpl = ring,
            Db = 1,
            S = 1,
            G = 1,
        };
        sregs->Cs = code;
        sregs->Ds = sregs->Es = sregs->Fs = sregs->Gs = sregs->Ss = data;
        sregs->Tr = new KvmSegment
        {
            Base = layout.TaskStateGpa,
            Limit = 0xfff,
            Selector = 0x40,
            Type = 11,
            Present = 1,
        };
        sregs->Cr0 = 0x8005_0033; // PG AM WP NE ET MP PE
        sregs->Cr3 = layout.TablesGpa;
        sregs->Cr4 = 0x620; // OSXMMEXCPT OSFXSR PAE
        sregs->Efer = 0xd01; // NXE LMA LME SCE
    }

    private void SetCpuid(KvmVm vm)
    {
        const int bytes = KvmUapi.CpuidHeaderBytes + (KvmUapi.MostCpuidEntries * KvmUapi.CpuidEntryBytes);
        var cpuid = stackalloc byte[bytes];
        *(uint*)cpuid = KvmUapi.MostCpuidEntries;
        Errors.Check(Libc.Ioctl(vm.Device.Fd.Number, KvmUapi.GetSupportedCpuid, cpuid), "KVM_GET_SUPPORTED_CPUID");
        Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.SetCpuid2, cpuid), "KVM_SET_CPUID2");
    }
}
