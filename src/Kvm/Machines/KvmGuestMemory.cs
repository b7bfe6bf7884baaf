using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using UffdModes = Userfault.Linux.UffdModes;

namespace Userfault.Kvm;

/// <summary>
/// The memory of a real VM's guest. The memslot's actor places content by UFFDIO_COPY if a userfaultfd watches,
/// otherwise by a plain copy, before a region or a cleared bit makes it visible to the guest. No code of this process
/// may touch a watched page that is not in place: the thread would sleep at a point where the garbage collector waits
/// for it.
/// </summary>
internal sealed unsafe class KvmGuestMemory : IGuestMemory
{
    private readonly MemoryMapping _mapping;
    private readonly ByteGuestMemory _bytes;
    private readonly UserfaultBitmap _placed;
    private bool _nobodySleeps;
    private long _count;
    private bool _isKept;

    /// <summary>Memory without any page in place.</summary>
    /// <param name="pages">Number of pages.</param>
    /// <param name="mode">How touches of missing pages are caught; never <see cref="KvmMode.Auto"/>.</param>
    /// <exception cref="LinuxException">No userfaultfd although the mode needs one, or no memory.</exception>
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

    /// <summary>The userfaultfd that watches the memory; null if there is none.</summary>
    public Userfaultfd? Uffd { get; private set; }

    /// <summary>Number of pages placed.</summary>
    public long Count => Volatile.Read(ref _count);

    public ulong Pages => _bytes.Pages;

    public Hva Base => _bytes.Base;

    public ulong CapacityBytes => _bytes.CapacityBytes;

    /// <summary>No: a vCPU's thread accounts for a batch of writes after the guest has made them.</summary>
    public bool AccountsAtOnce => false;

    /// <summary>Is the page in place?</summary>
    public bool IsPlaced(MemoryPage page) => page.Value < Pages && _placed.IsSet(page.Value);

    /// <summary>The page behind a guest frame: page n is at frame n.</summary>
    public static MemoryPage PageOf(Gfn gfn) => new(gfn.Value);

    /// <summary>The frame of a page.</summary>
    public static Gfn FrameOf(MemoryPage page) => new(page.Value);

    /// <summary>The page at a host virtual address.</summary>
    public MemoryPage PageAt(ulong address) => new((address - Base.Value) >> Page.Shift);

    /// <summary>The guest's 8 bytes at a guest physical address; the page must be in place.</summary>
    public ulong* WordAt(ulong gpa) => (ulong*)(_mapping.Start + gpa);

    public void Place(in PageContent content)
    {
        if (Uffd is null)
            _bytes.Place(content);
        else
            Resolve(Uffd, content);
        // With release order: a thread that sees the bit also sees the content.
        _placed.Set(content.Page.Value);
        Interlocked.Increment(ref _count);
    }

    public void Write(MemoryPage page, GuestStamp stamp, StampLedger ledger) => _bytes.Write(page, stamp, ledger);

    public ulong Read(MemoryPage page, int vcpu) => _bytes.Read(page, vcpu);

    public bool Matches(MemoryPage page, in PageContent expected, ulong delta) => _bytes.Matches(page, expected, delta);

    public bool Matches(MemoryPage page, in PageDigest expected, ulong delta) => _bytes.Matches(page, expected, delta);

    /// <summary>
    /// From now on a thread may sleep on any page: every placed page is woken. Any thread, before the first one sleeps.
    /// </summary>
    public void WakeAlways() => Volatile.Write(ref _nobodySleeps, false);

    /// <summary>
    /// Ends the watch: threads that sleep on a missing page continue with zeros. Only at the end of a run.
    /// </summary>
    public void LetGo()
    {
        Uffd?.Dispose();
        Uffd = null;
    }

    /// <summary>A thread that still uses it did not end: the memory stays mapped until the process ends.</summary>
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

    // A kicked vCPU waits in user space, and one that is not kicked yet will be: no wake is needed. After EEXIST a
    // thread may have gone to sleep in the meantime, so the page is woken explicitly.
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
