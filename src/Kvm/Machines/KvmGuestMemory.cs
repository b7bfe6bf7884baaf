using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using UffdModes = Userfault.Linux.UffdModes;

namespace Userfault.Kvm;

/// <summary>
/// Guest memory that a real VM runs on. What the memslot's actor places goes in by UFFDIO_COPY where a userfaultfd
/// watches, else by a plain copy, before a region or a cleared bit shows it to the guest. Nobody here touches a watched
/// page that is not in place: the thread would sleep where a collection waits for it.
/// </summary>
internal sealed unsafe class KvmGuestMemory : IGuestMemory
{
    private readonly MemoryMapping _mapping;
    private readonly ByteGuestMemory _bytes;
    private readonly UserfaultBitmap _placed;
    private bool _nobodySleeps;
    private long _count;
    private bool _isKept;

    /// <summary>Memory in which nothing is in place.</summary>
    /// <param name="pages">How many pages.</param>
    /// <param name="mode">How a touch of a missing page is to be caught; never <see cref="KvmMode.Auto"/>.</param>
    /// <exception cref="LinuxException">No userfaultfd where the mode needs one, or no memory.</exception>
    public KvmGuestMemory(ulong pages, KvmMode mode)
    {
        _mapping = MemoryMapping.Anonymously(pages << Page.Shift);
        _mapping.ForbidHugePages();
        _bytes = new ByteGuestMemory(_mapping.Start, pages);
        _placed = UserfaultBitmap.Allocate(pages);
        _nobodySleeps = mode == KvmMode.Kick;
        if (mode is not (KvmMode.Userfaultfd or KvmMode.Kick))
            return;
        try
        {
            Uffd = Userfaultfd.Open(UffdFeatures.ThreadId);
            Uffd.Register(_mapping.Address, _mapping.Bytes, UffdRegisterModes.Missing);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Who watches; null where nobody does.</summary>
    public Userfaultfd? Uffd { get; private set; }

    /// <summary>Pages placed so far.</summary>
    public long Count => Volatile.Read(ref _count);

    public ulong Pages => _bytes.Pages;

    public Hva Base => _bytes.Base;

    public ulong CapacityBytes => _bytes.CapacityBytes;

    /// <summary>No: a vCPU's thread accounts for a batch of writes once the guest has made them.</summary>
    public bool AccountsAtOnce => false;

    /// <summary>Is the page in place?</summary>
    public bool IsPlaced(MemoryPage page) => page.Value < Pages && _placed.IsSet(page.Value);

    /// <summary>The page at an address of this process.</summary>
    /// <summary>The page behind a guest frame: page n lies at frame n.</summary>
    public static MemoryPage PageOf(Gfn gfn) => new(gfn.Value);

    /// <summary>The frame that a page lies at.</summary>
    public static Gfn FrameOf(MemoryPage page) => new(page.Value);

    /// <summary>The page at a host virtual address.</summary>
    public MemoryPage PageAt(ulong address) => new((address - Base.Value) >> Page.Shift);

    /// <summary>The guest's 8 bytes at an address of it; the page is in place.</summary>
    public ulong* WordAt(ulong gpa) => (ulong*)(_mapping.Start + gpa);

    public void Place(in PageContent content)
    {
        if (Uffd is null)
            _bytes.Place(content);
        else
            Resolve(Uffd, content);
        // With release order: who sees the bit sees the content.
        _placed.Set(content.Page.Value);
        Interlocked.Increment(ref _count);
    }

    public void Write(MemoryPage page, GuestStamp stamp, StampLedger ledger) => _bytes.Write(page, stamp, ledger);

    public ulong Read(MemoryPage page, int vcpu) => _bytes.Read(page, vcpu);

    public bool Matches(MemoryPage page, in PageContent expected, ulong delta) => _bytes.Matches(page, expected, delta);

    public bool Matches(MemoryPage page, in PageDigest expected, ulong delta) => _bytes.Matches(page, expected, delta);

    /// <summary>
    /// From now on somebody may sleep on any page: every page that is placed wakes. Any thread, before the first
    /// sleeps.
    /// </summary>
    public void WakeAlways() => Volatile.Write(ref _nobodySleeps, false);

    /// <summary>
    /// Ends the watch: whoever sleeps on a missing page goes on, on zeros. At the end of a run alone.
    /// </summary>
    public void LetGo()
    {
        Uffd?.Dispose();
        Uffd = null;
    }

    /// <summary>A thread that still uses it did not end: it stays mapped until the process ends.</summary>
    public void Keep() => _isKept = true;

    public void Dispose()
    {
        LetGo();
        if (_isKept)
            return;
        _placed.Dispose();
        _bytes.Dispose();
        _mapping.Dispose();
    }

    // A kicked vCPU waits in user space and one that is not kicked yet is going to be: nobody has to be woken. Where
    // another was faster somebody may have gone to sleep since: woken explicitly.
    private void Resolve(Userfaultfd uffd, in PageContent content)
    {
        var address = Base.Value + (content.Page.Value << Page.Shift);
        var modes = Volatile.Read(ref _nobodySleeps) ? UffdModes.DontWake : UffdModes.None;
        while (true)
        {
            var result =
                content.Kind == PageContentKind.Zero
                    ? uffd.Zeropage(address, Page.Size, modes)
                    : uffd.Copy(address, content.Bytes, Page.Size, modes);
            switch (result.Error)
            {
                case LinuxErrno.None:
                    return;
                case LinuxErrno.EEXIST:
                    uffd.Wake(address, Page.Size);
                    return;
                case LinuxErrno.EAGAIN:
                    continue;
                default:
                    throw new LinuxException($"UFFDIO_COPY of {content.Page}", result.Error);
            }
        }
    }
}
