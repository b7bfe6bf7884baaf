namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A VM of the model, made to be what this kernel and machine are.</summary>
public sealed class ModelKvm : IKvm
{
    private readonly HostLayout _layout;
    private readonly ModelMemory _memory;
    private readonly Vm _vm;
    private readonly ulong[] _bitmap = new ulong[1024];
    private readonly Dictionary<uint, ulong> _slotPages = [];

    public ModelKvm(HostLayout layout, KernelFacts facts)
    {
        _layout = layout;
        _memory = new ModelMemory(layout);
        _vm = new Vm(PolicyOf(facts), _memory, new ModelFiles());
        var answer = Do(KernelKvm.BootRegion);
        if (answer.Errno != 0)
            throw new InvalidOperationException($"boot slot: {answer}");
    }

    public KvmAnswer Do(KvmCall call)
    {
        switch (call)
        {
            case KvmCall.SetRegion region:
                return SetRegion(region);
            case KvmCall.GetDirtyLog log:
                return GetDirtyLog(log);
            case KvmCall.ClearDirtyLog clear:
                Array.Fill(_bitmap, clear.Mask);
                return Result(_vm.ClearDirtyLog(new SlotId(clear.Slot), clear.FirstPage, clear.Pages, _bitmap));
            case KvmCall.EnableCap enable:
                return Result(_vm.EnableCap(enable.Cap, enable.Flags, enable.Argument));
            case KvmCall.CheckExtension check:
                return new KvmAnswer(0, (ulong)_vm.CheckExtension(check.Cap));
            case KvmCall.Run run:
                return Run(run);
            case KvmCall.PreFault fault:
                var rest = _vm.PreFault(new Gpa(fault.Gpa), fault.Size, fault.Flags);
                return new KvmAnswer((int)rest.Errno, rest.SizeBytes);
            case KvmCall.ChangeBits bits:
                _memory.ChangeBits(bits);
                return KvmAnswer.Success;
            default:
                throw new InvalidOperationException($"no such call: {call}");
        }
    }

    public void Dispose() => _vm.Dispose();

    private static MmuPolicy PolicyOf(KernelFacts facts) =>
        MmuPolicy.X86 with
        {
            PhysicalAddressBits = facts.PhysicalAddressBits,
            UserSpaceEnd = facts.UserSpaceEnd,
            AddressSpaces = facts.AddressSpaces,
            UserSlots = facts.UserSlots,
            HasPrivateMemory = facts.HasAttributes,
            PrefaultsMemory = facts.HasPreFault,
            ExitsOnErrorPage = facts.ExitsOnErrorPage,
            HasQuirks = facts.HasZapQuirk,
            ZapsAllSlots = facts.ZapsAllSlots,
            RecoversHugePagesOnDisable = facts.Recovery != HugePageRecovery.None,
            DropsTablesToRecover = facts.Recovery == HugePageRecovery.Drop,
            ProtectsHugeLeavesOnClear = facts.ProtectsHugeLeavesOnClear,
            SplitsEagerly = facts.SplitsEagerly,
            UsesHardwareDirtyLog = facts.UsesHardwareDirtyLog,
        };

    private KvmAnswer SetRegion(KvmCall.SetRegion call)
    {
        var region = new UserspaceMemoryRegion2
        {
            Slot = call.Slot,
            Flags = call.Flags,
            GuestPhysicalAddress = call.Gpa,
            MemorySize = call.Size,
            UserspaceAddress = _layout.Resolve(call.Hva),
        };
        if (call.Second)
        {
            region.GuestMemfdOffset = call.MemfdOffset;
            region.GuestMemfd = call.Memfd switch
            {
                MemfdKind.Own => ModelFiles.OwnDescriptor,
                MemfdKind.OtherFile => ModelFiles.OtherDescriptor,
                _ => ModelFiles.ClosedDescriptor,
            };
            if ((call.Flags & RegionFlags.Userfault) != 0)
            {
                var start = call.Bitmap.Area == HostArea.Absolute ? 0 : ModelMemory.BitmapAddress;
                region.UserfaultBitmap = start + call.Bitmap.Offset;
            }
        }

        var errno = call.Second ? _vm.SetUserMemoryRegion2(region) : _vm.SetUserMemoryRegion(region);
        if (errno == Errno.None)
            _slotPages[call.Slot] = call.Size >> Page.Shift;
        return Result(errno);
    }

    private KvmAnswer GetDirtyLog(KvmCall.GetDirtyLog call)
    {
        Array.Fill(_bitmap, ulong.MaxValue);
        var answer = Result(_vm.GetDirtyLog(new SlotId(call.Slot), _bitmap));
        if (answer.Errno != 0)
            return answer;
        var count = (int)((_slotPages[call.Slot] + 63) / 64);
        return answer with { Bitmap = KvmAnswer.Words(_bitmap.AsSpan(0, count)) };
    }

    private KvmAnswer Run(KvmCall.Run call)
    {
        var gpa = new Gpa(call.Gpa);
        var result = _vm.Access(new VcpuAccess(gpa.ToGfn(), call.Access));
        var isWrite = call.Access == Access.Write;
        var isRead = call.Access == Access.Read;
        var offset = call.Gpa & Page.OffsetMask;
        if (result.IsCompleted)
        {
            if (isWrite)
                _memory.Write(result.Leaf.Pfn, offset, call.Bytes, call.Value);
            return new KvmAnswer(0, isRead ? _memory.Read(result.Leaf.Pfn, offset, call.Bytes) : 0);
        }

        return result.Fault.Kind switch
        {
            FaultKind.Mmio => new KvmAnswer(
                0,
                isRead ? KernelVcpu.MmioDatum(call.Gpa, call.Bytes) : 0,
                AnswerExit.Mmio,
                call.Gpa,
                (uint)call.Bytes | (isWrite ? 0x100UL : 0)
            ),
            FaultKind.MemoryFaultExit => new KvmAnswer(
                (int)result.Errno,
                0,
                AnswerExit.MemoryFault,
                result.Fault.Gpa.Value,
                (ulong)result.Fault.Flags
            ),
            FaultKind.BareEfault or FaultKind.SignalPending => Result(result.Errno),
            _ => new KvmAnswer(0, 0, AnswerExit.Unexpected, call.Gpa, (ulong)result.Fault.Kind),
        };
    }

    private static KvmAnswer Result(Errno errno) => new((int)errno);
}
