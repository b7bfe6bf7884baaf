using System.Globalization;

namespace Userfault.Linux;

/// <summary>
/// A vCPU of the real kernel. One thread runs it and waits inside <see cref="Run"/>, for as long as the guest runs or
/// sleeps on a missing page; any thread may <see cref="Kick"/> it out.
/// </summary>
internal sealed unsafe class KvmVcpu : IVcpuRunner
{
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

    /// <summary>KVM_GET_REGS and KVM_SET_REGS.</summary>
    /// <exception cref="LinuxException">The kernel refuses the state.</exception>
    internal KvmRegs Regs
    {
        get
        {
            KvmRegs regs;
            Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.GetRegs, &regs), "KVM_GET_REGS");
            return regs;
        }
        set => Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.SetRegs, &value), "KVM_SET_REGS");
    }

    /// <summary>KVM_GET_SREGS and KVM_SET_SREGS.</summary>
    /// <exception cref="LinuxException">The kernel refuses the state.</exception>
    internal KvmSregs SpecialRegs
    {
        get
        {
            KvmSregs sregs;
            Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.GetSregs, &sregs), "KVM_GET_SREGS");
            return sregs;
        }
        set => Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.SetSregs, &value), "KVM_SET_SREGS");
    }

    /// <summary>KVM_PRE_FAULT_MEMORY: maps a range as if the guest had read it.</summary>
    /// <param name="range">The range; afterwards the part that is not mapped.</param>
    /// <returns>None if anything was mapped; else the error.</returns>
    internal LinuxErrno PreFault(ref KvmPreFaultMemory range)
    {
        fixed (KvmPreFaultMemory* pointer = &range)
            return Libc.Ioctl(_fd.Number, KvmUapi.PreFaultMemory, pointer) < 0 ? Errors.Last : LinuxErrno.None;
    }

    /// <inheritdoc/>
    public KvmExit Run()
    {
        var result = Libc.Ioctl(_fd.Number, KvmUapi.Run, 0);
        var errno = result < 0 ? Errors.Last : LinuxErrno.None;
        var reason = *(uint*)(_run + KvmUapi.RunExitReason);
        var union = _run + KvmUapi.RunUnion;
        var exit = errno switch
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
        return exit with { Error = errno, Reason = reason };
    }

    /// <summary>Lets the kernel finish the instruction of the last exit without entering the guest again.</summary>
    internal void FinishInstruction()
    {
        Volatile.Write(ref _run[KvmUapi.RunImmediateExit], 1);
        _ = Libc.Ioctl(_fd.Number, KvmUapi.Run, 0);
        TakeKick();
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
            KvmUapi.ExitIo => new KvmExit(KvmExitKind.Io, Port: *(ushort*)(union + KvmUapi.IoPort)),
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

    private void SetCpuid(KvmVm vm)
    {
        const int bytes = KvmUapi.CpuidHeaderBytes + (KvmUapi.MaxCpuidEntries * KvmUapi.CpuidEntryBytes);
        var cpuid = stackalloc byte[bytes];
        *(uint*)cpuid = KvmUapi.MaxCpuidEntries;
        Errors.Check(Libc.Ioctl(vm.Device.Fd.Number, KvmUapi.GetSupportedCpuid, cpuid), "KVM_GET_SUPPORTED_CPUID");
        Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.SetCpuid2, cpuid), "KVM_SET_CPUID2");
    }
}
