using System.Runtime.CompilerServices;

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
    private readonly ulong* _userfaultBitmap;
    private readonly int _kvm;
    private readonly int _vm;
    private readonly int _memfd;
    private readonly Dictionary<uint, KvmCall.SetRegion> _slots = [];
    private KernelVcpu? _vcpu;

    /// <param name="kvm">Descriptor of /dev/kvm; stays the caller's.</param>
    /// <param name="layout">Host memory; must be reset by the caller.</param>
    /// <param name="userfaultBitmap">Where REGION2's bitmaps lie.</param>
    public KernelKvm(int kvm, HostLayout layout, ulong* userfaultBitmap)
    {
        _layout = layout;
        _kvm = kvm;
        _userfaultBitmap = userfaultBitmap;
        _vm = LibC.Require(LibC.Ioctl(kvm, KvmUapi.CreateVm, 0), "KVM_CREATE_VM");
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
    public bool HasMemfd => _memfd >= 0;

    public KvmAnswer Do(KvmCall call) =>
        call switch
        {
            KvmCall.SetRegion region => SetRegion(region),
            KvmCall.GetDirtyLog log => GetDirtyLog(log),
            KvmCall.ClearDirtyLog clear => ClearDirtyLog(clear),
            KvmCall.EnableCap enable => EnableCap(enable),
            KvmCall.CheckExtension check => Result(LibC.Ioctl(_vm, KvmUapi.CheckExtension, (nint)check.Cap)),
            KvmCall.Run run => Run(run),
            KvmCall.ChangeBits bits => ChangeBits(bits),
            _ => throw new InvalidOperationException($"no such call: {call}"),
        };

    public void Dispose()
    {
        _vcpu?.Dispose();
        if (_memfd >= 0)
            LibC.Close(_memfd);
        LibC.Close(_vm);
    }

    private KvmAnswer SetRegion(KvmCall.SetRegion call)
    {
        var raw = new RawMemoryRegion
        {
            Slot = call.Slot,
            Flags = call.Flags,
            GuestPhysAddr = call.Gpa,
            MemorySize = call.Size,
            UserspaceAddr = _layout.Resolve(call.Hva),
        };
        if (call.Second)
        {
            raw.GuestMemfdOffset = call.MemfdOffset;
            raw.GuestMemfd = call.Memfd switch
            {
                MemfdKind.Own => (uint)_memfd,
                MemfdKind.OtherFile => (uint)_kvm,
                _ => 0x7fff_fff0,
            };
            if ((call.Flags & RegionFlags.Userfault) != 0)
            {
                raw.UserfaultBitmap =
                    (call.Bitmap.Area == HostArea.Absolute ? 0 : (ulong)_userfaultBitmap) + call.Bitmap.Offset;
            }
        }

        var request = call.Second ? KvmUapi.SetUserMemoryRegion2 : KvmUapi.SetUserMemoryRegion;
        var answer = Result(LibC.Ioctl(_vm, request, (nint)(&raw)));
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
        var answer = (_vcpu ??= new KernelVcpu(_kvm, _vm, RunBound)).Run(call);
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
        fixed (ulong* words = _bitmap)
        {
            var raw = new RawDirtyLog { Slot = call.Slot, FirstPageOrBitmap = (ulong)words };
            var answer = Result(LibC.Ioctl(_vm, KvmUapi.GetDirtyLog, (nint)(&raw)));
            if (answer.Errno != 0)
                return answer;
            var count = (int)(((_slots[call.Slot].Size >> Page.Shift) + 63) / 64);
            return answer with { Bitmap = KvmAnswer.Words(_bitmap.AsSpan(0, count)) };
        }
    }

    private KvmAnswer ClearDirtyLog(KvmCall.ClearDirtyLog call)
    {
        Array.Fill(_bitmap, call.Mask);
        fixed (ulong* words = _bitmap)
        {
            var raw = new RawDirtyLog
            {
                Slot = call.Slot,
                Pages = call.Pages,
                FirstPageOrBitmap = call.FirstPage,
                ClearBitmap = (ulong)words,
            };
            return Result(LibC.Ioctl(_vm, KvmUapi.ClearDirtyLog, (nint)(&raw)));
        }
    }

    private KvmAnswer EnableCap(KvmCall.EnableCap call)
    {
        RawEnableCap raw = default;
        raw.Cap = call.Cap;
        raw.Flags = call.Flags;
        raw.Arguments[0] = call.Argument;
        return Result(LibC.Ioctl(_vm, KvmUapi.EnableCap, (nint)(&raw)));
    }

    private KvmAnswer ChangeBits(KvmCall.ChangeBits call)
    {
        ref var word = ref Unsafe.AsRef<ulong>(_userfaultBitmap + call.Word);
        if (call.Set)
            Interlocked.Or(ref word, call.Mask);
        else
            Interlocked.And(ref word, ~call.Mask);
        return KvmAnswer.Success;
    }

    private int CreateGuestMemfd()
    {
        var raw = stackalloc ulong[8];
        new Span<ulong>(raw, 8).Clear();
        raw[0] = MemfdSize;
        return LibC.Ioctl(_vm, KvmUapi.CreateGuestMemfd, (nint)raw);
    }

    private static KvmAnswer Result(int result) =>
        result < 0 ? new KvmAnswer(LibC.LastErrno) : new KvmAnswer(0, (ulong)result);
}
