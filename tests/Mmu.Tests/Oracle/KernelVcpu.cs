using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The kernel's vCPU with the guest of <see cref="GuestImage"/>: one access a call.</summary>
public sealed class KernelVcpu : IDisposable
{
    private const ulong Iopl3 = 0x3002;
    private static readonly TimeSpan PreFaultBound = TimeSpan.FromSeconds(1);

    private readonly KvmVcpu _vcpu;
    private readonly Timer _watchdog;
    private readonly TimeSpan _bound;
    private bool _isKicked;

    internal KernelVcpu(KvmVm vm, TimeSpan bound)
    {
        _bound = bound;
        _vcpu = vm.CreateVcpu(0);
        _watchdog = new Timer(_ => Kick(), null, Timeout.Infinite, Timeout.Infinite);
        var special = _vcpu.SpecialRegs;
        special.SetLongMode(ring: 3, GuestImage.Pml4Gpa, GuestImage.TaskStateGpa);
        _vcpu.SpecialRegs = special;
    }

    /// <summary>What an MMIO read is answered with: the address, marked.</summary>
    public static ulong MmioDatum(ulong gpa, int bytes) => Truncate(gpa ^ 0x4d4d_494f_0000_0000, bytes);

    public static ulong Truncate(ulong value, int bytes) => bytes == 8 ? value : value & ((1UL << (bytes * 8)) - 1);

    public KvmAnswer Run(KvmCall.Run call)
    {
        _vcpu.Adopt();
        _watchdog.Change(_bound, Timeout.InfiniteTimeSpan);
        _vcpu.Regs = new KvmRegs
        {
            Rip = GuestImage.EntryOf(call.Access, call.Bytes),
            Rdi = call.Gpa,
            Rsp = GuestImage.StackTopGpa,
            Rax = call.Access == Access.Write ? call.Value : 0,
            Rflags = Iopl3,
        };
        var answer = RunToReport(call);
        var rax = _vcpu.Regs.Rax;
        _watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        return answer.Errno == 0 && call.Access == Access.Read ? answer with { Value = rax } : answer;
    }

    /// <summary>The answer's value is the size of the rest.</summary>
    public KvmAnswer PreFault(KvmCall.PreFault call)
    {
        var range = new KvmPreFaultMemory
        {
            Gpa = call.Gpa,
            SizeBytes = call.Size,
            Flags = call.Flags,
        };
        // Some kernels do not come back from this call by themselves, but a signal ends it.
        _vcpu.Adopt();
        _watchdog.Change(PreFaultBound, Timeout.InfiniteTimeSpan);
        var error = _vcpu.PreFault(ref range);
        _watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        return new KvmAnswer((int)error, range.SizeBytes);
    }

    public void Dispose()
    {
        using var gone = new ManualResetEvent(false);
        if (_watchdog.Dispose(gone))
            gone.WaitOne();
        _vcpu.Dispose();
    }

    private KvmAnswer RunToReport(KvmCall.Run call)
    {
        var answer = KvmAnswer.Success;
        while (true)
        {
            var exit = _vcpu.Run();
            // Other signals end a run as well: a stopped and continued process, the runtime's own.
            if (exit.Error == LinuxErrno.EINTR && !Volatile.Read(ref _isKicked))
                continue;
            if (exit.Error != LinuxErrno.None)
            {
                return exit.Kind == KvmExitKind.MemoryFault
                    ? new KvmAnswer((int)exit.Error, 0, AnswerExit.MemoryFault, exit.Gpa, exit.Flags)
                    : new KvmAnswer((int)exit.Error);
            }

            switch (exit.Kind)
            {
                case KvmExitKind.Io when exit.Port == GuestImage.ReportPort:
                    _vcpu.FinishInstruction();
                    return answer;
                case KvmExitKind.Mmio when answer.Exit == AnswerExit.None:
                    answer = AnswerMmio(exit);
                    break;
                // The kernel's emulator cannot fetch instructions from where no memory is; the model says MMIO.
                case KvmExitKind.Unexpected
                    when exit.Reason == KvmUapi.ExitInternalError && call.Access == Access.Execute:
                    return new KvmAnswer(0, 0, AnswerExit.Mmio, call.Gpa);
                default:
                    return new KvmAnswer(0, 0, AnswerExit.Unexpected, exit.Gpa, exit.Reason);
            }
        }
    }

    private KvmAnswer AnswerMmio(in KvmExit exit)
    {
        if (!exit.IsWrite)
            _vcpu.AnswerMmio(MmioDatum(exit.Gpa, exit.Bytes));
        return new KvmAnswer(0, 0, AnswerExit.Mmio, exit.Gpa, (uint)exit.Bytes | (exit.IsWrite ? 0x100UL : 0));
    }

    /// <summary>Ends a KVM_RUN that has lasted too long: it answers EINTR, which the model never does.</summary>
    private void Kick()
    {
        Volatile.Write(ref _isKicked, true);
        _vcpu.Kick();
    }
}
