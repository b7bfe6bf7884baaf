namespace Userfault.Mmu.Tests;

/// <summary>
/// A VM with one 8 MiB slot of 2 MiB host pages, and what user space holds beside it. gfn 0x40000 is page 0 of the
/// slot, so that page numbers in cases are offsets from <see cref="Base"/>.
/// </summary>
public sealed class TestVm : IDisposable
{
    public const ulong Pages = 2048;
    public const ulong Gpa = 0x4000_0000;
    public const ulong Hva = 0x7f00_4000_0000;
    public const uint MemfdDescriptor = 7;
    public static readonly SlotId Slot = new(1);
    public static readonly Gfn Base = new Gpa(Gpa).ToGfn();

    private readonly List<UserfaultBitmap> _bitmaps = [];

    public TestVm(
        MmuPolicy policy,
        MemslotFlags flags = MemslotFlags.None,
        PageLevel level = PageLevel.Size2M,
        bool hostIsWritable = true,
        bool createsSlot = true
    )
    {
        Host.Memory.Map(new Hva(Hva), Pages * Page.Size, level, hostIsWritable);
        Bitmap = AddBitmap(Pages);
        Memfd = new ModelGuestMemfd(new Pfn(0x10_0000), 2 * Pages, PageLevel.Size2M);
        Files.Open(MemfdDescriptor, Memfd);
        Vm = new Vm(policy, Host, Files);
        if (createsSlot)
            Assert.Equal(Errno.None, Vm.SetUserMemoryRegion2(Region(flags)));
    }

    public TestHost Host { get; } = new();

    public ModelFileTable Files { get; } = new();

    public ModelGuestMemfd Memfd { get; }

    public UserfaultBitmap Bitmap { get; }

    public Vm Vm { get; }

    public MemslotCore Core => Vm.FindSlot(Slot) ?? throw new InvalidOperationException("the slot is gone");

    public TableCounters Mapped => Core.Table.Counters;

    public static MmuPolicy PolicyOf(Architecture architecture) =>
        architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;

    public UserspaceMemoryRegion2 Region(MemslotFlags flags = MemslotFlags.None) =>
        new()
        {
            Slot = Slot.Raw,
            Flags = (uint)flags,
            GuestPhysicalAddress = Gpa,
            MemorySize = Pages * Page.Size,
            UserspaceAddress = Hva,
            GuestMemfd = (flags & MemslotFlags.GuestMemfd) != 0 ? MemfdDescriptor : 0,
            UserfaultBitmap = ModelHostMemory.AddressOf(Bitmap).Value,
        };

    public UserfaultBitmap AddBitmap(ulong pages)
    {
        var bitmap = UserfaultBitmap.Allocate(pages);
        _bitmaps.Add(bitmap);
        Host.Memory.AddBitmap(bitmap);
        return bitmap;
    }

    public void SetFlags(MemslotFlags flags) => Assert.Equal(Errno.None, Vm.SetUserMemoryRegion2(Region(flags)));

    public AccessResult Access(ulong page, Access kind, bool isPrivate = false, bool isTableWalk = false) =>
        Vm.Access(new VcpuAccess(Base.Plus(page), kind, isPrivate, isTableWalk));

    public AccessResult Read(ulong page) => Access(page, Mmu.Access.Read);

    public AccessResult Write(ulong page) => Access(page, Mmu.Access.Write);

    public AccessResult Fetch(ulong page) => Access(page, Mmu.Access.Execute);

    public WalkResult Leaf(ulong page) => Core.Table.Walk(Base.Plus(page));

    /// <summary>The pages that the slot's dirty log holds, without changing it.</summary>
    public ulong[] DirtyPages()
    {
        var dirty = Core.DirtyBitmap ?? throw new InvalidOperationException("the slot does not log");
        var pages = new List<ulong>();
        for (var page = dirty.FindNextSet(0); page < dirty.Pages; page = dirty.FindNextSet(page + 1))
            pages.Add(page);
        return [.. pages];
    }

    public ulong[] GetDirtyLog()
    {
        var words = new ulong[Pages / 64];
        Assert.Equal(Errno.None, Vm.GetDirtyLog(Slot, words));
        return PagesOf(words);
    }

    public static ulong[] PagesOf(ReadOnlySpan<ulong> words)
    {
        var pages = new List<ulong>();
        for (var i = 0; i < words.Length; i++)
        {
            for (var bit = 0; bit < 64; bit++)
            {
                if ((words[i] >> bit & 1) != 0)
                    pages.Add((ulong)((i * 64) + bit));
            }
        }

        return [.. pages];
    }

    public void Dispose()
    {
        Vm.Dispose();
        foreach (var bitmap in _bitmaps)
            bitmap.Dispose();
    }
}
