namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The kernel's vCPU with the guest of <see cref="GuestImage"/>: one access a call.</summary>
public sealed unsafe class KernelVcpu : IDisposable
{
    private const int CpuidEntries = 256;
    private const int CpuidEntrySize = 40;
    private const ulong Iopl3 = 0x3002;

    private readonly int _fd;
    private readonly byte* _run;
    private readonly nuint _runSize;
    private readonly Timer _watchdog;
    private readonly TimeSpan _bound;
    private int _threadId;
    private bool _isKicked;

    public KernelVcpu(int kvm, int vm, TimeSpan bound)
    {
        _bound = bound;
        _fd = LibC.Require(LibC.Ioctl(vm, KvmUapi.CreateVcpu, 0), "KVM_CREATE_VCPU");
        _runSize = (nuint)LibC.Require(LibC.Ioctl(kvm, KvmUapi.GetVcpuMmapSize, 0), "KVM_GET_VCPU_MMAP_SIZE");
        _run = (byte*)LibC.Map(0, _runSize, LibC.ProtRead | LibC.ProtWrite, LibC.MapShared, _fd);
        _watchdog = new Timer(_ => Kick(), null, Timeout.Infinite, Timeout.Infinite);

        var cpuid = new byte[8 + (CpuidEntries * CpuidEntrySize)];
        fixed (byte* pointer = cpuid)
        {
            *(uint*)pointer = CpuidEntries;
            LibC.Require(LibC.Ioctl(kvm, KvmUapi.GetSupportedCpuid, (nint)pointer), "KVM_GET_SUPPORTED_CPUID");
            LibC.Require(LibC.Ioctl(_fd, KvmUapi.SetCpuid2, (nint)pointer), "KVM_SET_CPUID2");
        }

        RawSregs sregs = default;
        LibC.Require(LibC.Ioctl(_fd, KvmUapi.GetSregs, (nint)(&sregs)), "KVM_GET_SREGS");
        GuestImage.LongModeAtCpl3(&sregs);
        LibC.Require(LibC.Ioctl(_fd, KvmUapi.SetSregs, (nint)(&sregs)), "KVM_SET_SREGS");
    }

    public int Descriptor => _fd;

    /// <summary>What an MMIO read is answered with: the address, marked.</summary>
    public static ulong MmioDatum(ulong gpa, int bytes) => Truncate(gpa ^ 0x4d4d_494f_0000_0000, bytes);

    public static ulong Truncate(ulong value, int bytes) => bytes == 8 ? value : value & ((1UL << (bytes * 8)) - 1);

    public KvmAnswer Run(KvmCall.Run call)
    {
        _threadId = LibC.GetThreadId();
        _watchdog.Change(_bound, Timeout.InfiniteTimeSpan);
        var regs = stackalloc ulong[KvmUapi.RegsWords];
        new Span<ulong>(regs, KvmUapi.RegsWords).Clear();
        regs[KvmUapi.Rip] = GuestImage.EntryOf(call.Access, call.Bytes);
        regs[KvmUapi.Rdi] = call.Gpa;
        regs[KvmUapi.Rsp] = GuestImage.StackTopGpa;
        regs[KvmUapi.Rax] = call.Access == Access.Write ? call.Value : 0;
        regs[KvmUapi.Rflags] = Iopl3;
        LibC.Require(LibC.Ioctl(_fd, KvmUapi.SetRegs, (nint)regs), "KVM_SET_REGS");
        var answer = RunToReport(call);
        LibC.Require(LibC.Ioctl(_fd, KvmUapi.GetRegs, (nint)regs), "KVM_GET_REGS");
        _watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        return answer.Errno == 0 && call.Access == Access.Read ? answer with { Value = regs[KvmUapi.Rax] } : answer;
    }

    public void Dispose()
    {
        using var gone = new ManualResetEvent(false);
        if (_watchdog.Dispose(gone))
            gone.WaitOne();
        LibC.Unmap((nint)_run, _runSize);
        LibC.Close(_fd);
    }

    private KvmAnswer RunToReport(KvmCall.Run call)
    {
        var answer = KvmAnswer.Success;
        while (true)
        {
            var result = LibC.Ioctl(_fd, KvmUapi.Run, 0);
            var errno = result < 0 ? LibC.LastErrno : 0;
            var reason = *(uint*)(_run + KvmUapi.RunExitReason);
            var union = (ulong*)(_run + KvmUapi.RunUnion);
            // Other signals end a run as well: a stopped and continued process, the runtime's own.
            if (errno == (int)Errno.EINTR && !Volatile.Read(ref _isKicked))
                continue;
            if (errno != 0)
            {
                return reason == KvmUapi.ExitMemoryFault && errno == (int)Errno.EFAULT
                    ? new KvmAnswer(errno, 0, KvmExitKind.MemoryFault, union[1], union[0])
                    : new KvmAnswer(errno);
            }

            switch (reason)
            {
                case KvmUapi.ExitIo when ((ushort*)union)[1] == GuestImage.ReportPort:
                    CompleteReport();
                    return answer;
                case KvmUapi.ExitMmio when answer.Exit == KvmExitKind.None:
                    answer = AnswerMmio((byte*)union);
                    break;
                // The kernel's emulator cannot fetch instructions from where no memory is; the model says MMIO.
                case KvmUapi.ExitInternalError when call.Access == Access.Execute:
                    return new KvmAnswer(0, 0, KvmExitKind.Mmio, call.Gpa);
                default:
                    return new KvmAnswer(0, 0, KvmExitKind.Unexpected, union[0], reason);
            }
        }
    }

    private static KvmAnswer AnswerMmio(byte* mmio)
    {
        var gpa = *(ulong*)mmio;
        var bytes = *(int*)(mmio + 16);
        var isWrite = mmio[20] != 0;
        if (!isWrite)
            *(ulong*)(mmio + 8) = MmioDatum(gpa, bytes);
        return new KvmAnswer(0, 0, KvmExitKind.Mmio, gpa, (uint)bytes | (isWrite ? 0x100UL : 0));
    }

    /// <summary>Lets the kernel finish the OUT instruction without entering the guest again.</summary>
    private void CompleteReport()
    {
        Volatile.Write(ref _run[KvmUapi.RunImmediateExit], 1);
        _ = LibC.Ioctl(_fd, KvmUapi.Run, 0);
        Volatile.Write(ref _run[KvmUapi.RunImmediateExit], 0);
    }

    /// <summary>Ends a KVM_RUN that has lasted too long: it answers EINTR, which the model never does.</summary>
    private void Kick()
    {
        Volatile.Write(ref _isKicked, true);
        Volatile.Write(ref _run[KvmUapi.RunImmediateExit], 1);
        _ = LibC.SignalThread(Environment.ProcessId, Volatile.Read(ref _threadId), LibC.SigUrg);
    }
}
