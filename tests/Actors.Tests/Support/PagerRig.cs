using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors.Tests;

/// <summary>
/// A memslot's pager with everything below it: host mapping, bitmap, tables, guest memory of tags. Page n of guest
/// memory is gfn <c>firstGfn</c> + n, and its content's tag is <see cref="TagOf"/>.
/// </summary>
internal sealed class PagerRig : IDisposable
{
    public const int Vcpus = 4;
    public const int Accessor = Vcpus;

    public PagerRig(
        FaultMode mode = FaultMode.Userfault,
        MemoryKind memory = MemoryKind.Anonymous,
        Architecture architecture = Architecture.X86,
        ulong pages = 1024,
        ulong firstGfn = 0,
        MemslotFlags flags = MemslotFlags.None,
        bool missing = true,
        bool hasOddHost = false
    )
    {
        Memory = new TagGuestMemory(pages);
        Ledger = new StampLedger(pages);
        Host = new HostMapping(memory, Memory.Base, pages, ModesOf(mode, memory));
        Bitmap = UserfaultBitmap.Allocate(pages);
        if (missing)
            Bitmap.SetAll();
        Host.ExposeBitmap(Bitmap);
        if (mode != FaultMode.Userfaultfd)
            flags |= MemslotFlags.Userfault;
        if (memory == MemoryKind.GuestMemfd)
            flags |= MemslotFlags.GuestMemfd;
        Range = new GfnRange(new Gfn(firstGfn), pages);
        Slot = new Memslot(
            SlotId.Of(0, 1),
            Range,
            Memory.Base,
            flags,
            HostMapping.AddressOf(Bitmap),
            memory == MemoryKind.GuestMemfd ? Host : null
        );
        var policy = architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;
        OddHost.Map(Memory.Base, pages << Page.Shift);
        OddHost.AddBitmap(Bitmap);
        Core = new MemslotCore(
            Slot,
            policy,
            hasOddHost ? OddHost : Host,
            new TableOptions { Readers = new TableReaders() }
        );
        if (memory == MemoryKind.GuestMemfd)
            Core.Attributes = MemoryAttributes.AllShared.With(Range, true);
        Pager = new MemslotPager(Core, Bitmap, Host, Memory, new MemslotPagerSettings(mode, memory, Vcpus));
    }

    public TagGuestMemory Memory { get; }

    public StampLedger Ledger { get; }

    public HostMapping Host { get; }

    /// <summary>What KVM sees instead of <see cref="Host"/> where that is asked for: poison and signals.</summary>
    public ModelHostMemory OddHost { get; } = new();

    public UserfaultBitmap Bitmap { get; }

    public GfnRange Range { get; }

    public Memslot Slot { get; }

    public MemslotCore Core { get; }

    public MemslotPager Pager { get; }

    public EffectBuffer Effects { get; } = new();

    /// <summary>The tag of a page's content.</summary>
    public static ulong TagOf(ulong page) => 0x1000_0000 + page;

    /// <summary>A page's content as a source sends it.</summary>
    public static unsafe PageContent ContentOf(ulong page) => PageContent.Of(new MemoryPage(page), null, TagOf(page));

    /// <summary>A vCPU's access leaves the guest; page by number in guest memory.</summary>
    public IReadOnlyList<Effect> Fault(int vcpu, ulong page, Access kind = Access.Read, bool isPrivate = false) =>
        Do(() => Pager.OnFault(vcpu, new VcpuAccess(Range.Start.Plus(page), kind, isPrivate), Effects));

    /// <summary>Content comes by way of user space.</summary>
    public IReadOnlyList<Effect> Arrive(ulong page) => Do(() => Pager.OnPages([ContentOf(page)], Effects));

    /// <summary>Runs something; answers the effects that it had.</summary>
    public IReadOnlyList<Effect> Do(Action what)
    {
        what();
        var effects = Effects.Effects.ToArray();
        Effects.Clear();
        return effects;
    }

    public void Dispose()
    {
        Pager.Dispose();
        Host.Dispose();
        Memory.Dispose();
        Ledger.Dispose();
    }

    private static UffdModes ModesOf(FaultMode mode, MemoryKind memory) =>
        mode == FaultMode.Userfault
            ? UffdModes.None
            : memory switch
            {
                MemoryKind.Anonymous => UffdModes.Missing,
                MemoryKind.Shmem => UffdModes.Missing | UffdModes.Minor,
                _ => UffdModes.None,
            };
}
