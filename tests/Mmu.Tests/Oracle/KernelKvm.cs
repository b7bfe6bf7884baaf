using System.Runtime.CompilerServices;
using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A VM of the real kernel.</summary>
public sealed unsafe class KernelKvm : IKvm
{
    public const ulong MemfdSize = 256 << 10;

    /// <summary>
    /// Pages that the buffer for a dirty bitmap can describe: more than a program's largest slot that logs.
    /// </summary>
    private const int BitmapWords = 1024;

    private readonly HostLayout _layout;
    private readonly ulong[] _bitmap = new ulong[BitmapWords];
    private readonly KvmDevice _kvm;
    private readonly KvmVm _vm;
    private readonly OwnedFd? _memfd;
    private readonly Dictionary<uint, KvmCall.SetRegion> _slots = [];
    private KernelVcpu? _vcpu;

    /// <param name="kvm">/dev/kvm; stays the caller's.</param>
    /// <param name="layout">Host memory; must be reset by the caller.</param>
    internal KernelKvm(KvmDevice kvm, HostLayout layout)
    {
        _layout = layout;
        _kvm = kvm;
        _vm = kvm.CreateVm();
        _memfd = CreateGuestMemfd();
        GuestImage.WriteTo((byte*)layout.Start(HostArea.Boot));
        var answer = Do(BootRegion);
        if (answer.Errno != 0)
            throw new InvalidOperationException($"boot slot: {answer}");
    }

    /// <summary>The region that holds the guest itself.</summary>
    public static KvmCall.SetRegion BootRegion { get; } =
        new(
            false,
            GuestImage.BootSlot,
            0,
            GuestImage.BootGpa,
            HostLayout.BootSize,
            new HostAddress(HostArea.Boot, 0),
            MemfdKind.Own,
            0,
            default
        );

    /// <summary>How long one KVM_RUN may take: one that does not end is a finding, not a test that hangs.</summary>
    public required TimeSpan RunBound { get; init; }

    /// <summary>Was a guest_memfd created for this VM?</summary>
    public bool HasMemfd => _memfd is not null;

    public KvmAnswer Do(KvmCall call) =>
        call switch
        {
            KvmCall.SetRegion region => SetRegion(region),
            KvmCall.GetDirtyLog log => GetDirtyLog(log),
            KvmCall.ClearDirtyLog clear => ClearDirtyLog(clear),
            KvmCall.EnableCap enable => EnableCap(enable),
            KvmCall.CheckExtension check => Check((KvmCapability)check.Cap),
            KvmCall.Run run => Run(run),
            KvmCall.ChangeBits bits => ChangeBits(bits),
            KvmCall.PreFault fault => (_vcpu ??= new KernelVcpu(_vm, RunBound)).PreFault(fault),
            _ => throw new InvalidOperationException($"no such call: {call}"),
        };

    public void Dispose()
    {
        _vcpu?.Dispose();
        _memfd?.Dispose();
        _vm.Dispose();
    }

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
                MemfdKind.Own => (uint)(_memfd?.Number ?? -1),
                MemfdKind.OtherFile => (uint)_kvm.Fd.Number,
                _ => 0x7fff_fff0,
            };
            if ((call.Flags & RegionFlags.Userfault) != 0)
            {
                region.UserfaultBitmap =
                    (call.Bitmap.Area == HostArea.Absolute ? 0 : _layout.Bitmaps) + call.Bitmap.Offset;
            }
        }

        var answer = Result(call.Second ? _vm.SetUserMemoryRegion2(region) : _vm.SetUserMemoryRegion(region));
        if (answer.Errno == 0)
            _slots[call.Slot] = call;
        return answer;
    }

    private KvmAnswer Run(KvmCall.Run call)
    {
        var slot = _slots.Values.FirstOrDefault(slot =>
            new SlotId(slot.Slot).AddressSpace == 0 && call.Gpa - slot.Gpa < slot.Size
        );
        if (call.Access == Access.Write && slot is not null)
            NoteWrite(_layout.Resolve(slot.Hva) + (call.Gpa - slot.Gpa));
        var answer = (_vcpu ??= new KernelVcpu(_vm, RunBound)).Run(call);
        GuestImage.ForgetAccess((byte*)_layout.Start(HostArea.Boot), call.Gpa);
        return answer;
    }

    private void NoteWrite(ulong address)
    {
        if (_layout.AreaOf(address) is HostArea.Writable or HostArea.Huge)
            _layout.NoteWrite(address);
    }

    private KvmAnswer GetDirtyLog(KvmCall.GetDirtyLog call)
    {
        Array.Fill(_bitmap, ulong.MaxValue);
        var answer = Result(_vm.GetDirtyLog(call.Slot, _bitmap));
        if (answer.Errno != 0)
            return answer;
        var count = (int)(((_slots[call.Slot].Size >> Page.Shift) + 63) / 64);
        return answer with { Bitmap = KvmAnswer.Words(_bitmap.AsSpan(0, count)) };
    }

    private KvmAnswer ClearDirtyLog(KvmCall.ClearDirtyLog call)
    {
        Array.Fill(_bitmap, call.Mask);
        return Result(_vm.ClearDirtyLog(call.Slot, call.FirstPage, call.Pages, _bitmap));
    }

    private KvmAnswer EnableCap(KvmCall.EnableCap call) =>
        Result(_vm.Enable((KvmCapability)call.Cap, call.Argument, call.Flags));

    private KvmAnswer Check(KvmCapability capability) =>
        _vm.Check(capability) is var result and >= 0
            ? new KvmAnswer(0, (ulong)result)
            : new KvmAnswer((int)Errors.Last);

    private KvmAnswer ChangeBits(KvmCall.ChangeBits call)
    {
        ref var word = ref Unsafe.AsRef<ulong>((ulong*)_layout.Bitmaps + call.Word);
        if (call.Set)
            Interlocked.Or(ref word, call.Mask);
        else
            Interlocked.And(ref word, ~call.Mask);
        return KvmAnswer.Success;
    }

    // Not every kind of VM has one.
    private OwnedFd? CreateGuestMemfd()
    {
        try
        {
            return _vm.CreateGuestMemfd(MemfdSize);
        }
        catch (LinuxException)
        {
            return null;
        }
    }

    private static KvmAnswer Result(LinuxErrno error) => new((int)error);
}
