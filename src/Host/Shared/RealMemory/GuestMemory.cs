using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// The stand-in monitor's guest memory: mapped, registered, and handed over. In the main form it is private memory,
/// or a memfd that is handed over too; in the secret-free form a memfd in a guest_memfd's place, which vCPUs access by
/// the file, and the monitor by its mapping.
/// </summary>
internal sealed unsafe class GuestMemory : IDisposable
{
    private readonly MemoryMapping[] _mappings;
    private readonly GuestRegion[] _regions;
    private readonly Userfaultfd _uffd;
    private readonly ulong _granule;
    private readonly OwnedFd? _bitmapFd;
    private readonly MemoryMapping? _bitmapMemory;

    /// <summary>Maps and registers memory of the given ranges of the image.</summary>
    /// <exception cref="LinuxException">No userfaultfd, no memory.</exception>
    public GuestMemory(IReadOnlyList<GfnRange> ranges, GuestMemoryForm form)
    {
        var (secretFree, hugePages) = (form == GuestMemoryForm.SecretFree, form == GuestMemoryForm.HugePages);
        (Form, Pages) = (form, ranges[^1].End.Value);
        var isShared = secretFree || form == GuestMemoryForm.Shmem;
        var shmem = isShared ? UffdFeatures.MissingShmem | UffdFeatures.MinorShmem : UffdFeatures.None;
        _granule = (hugePages ? RegionList.HugePageBytes : Page.Size) >> Page.Shift;
        var huge = hugePages ? UffdFeatures.MissingHugetlbfs : UffdFeatures.None;
        _uffd = Userfaultfd.Open(UffdFeatures.EventRemove | UffdFeatures.ThreadId | shmem | huge);
        if (isShared)
            File = Memfd.Create("guest", Pages << Page.Shift);
        if (form == GuestMemoryForm.Shmem)
            Memfd.Allocate(File!, Pages << Page.Shift);
        if (secretFree)
        {
            var bytes = (Pages + 63) / 64 * sizeof(ulong);
            _bitmapFd = Memfd.Create("userfault-bitmap", bytes);
            _bitmapMemory = MemoryMapping.Of(_bitmapFd, bytes);
            Bitmap = UserfaultBitmap.Over((ulong*)_bitmapMemory.Start, Pages);
        }
        _mappings =
        [
            .. ranges.Select(r =>
                hugePages ? MemoryMapping.OfHugePages(r.Count << Page.Shift)
                : File is null ? MemoryMapping.Anonymously(r.Count << Page.Shift)
                : MemoryMapping.Of(File, r.Count << Page.Shift, r.Start.Value << Page.Shift)
            ),
        ];
        _regions = new GuestRegion[ranges.Count];
        for (var i = 0; i < _mappings.Length; i++)
        {
            if (!hugePages)
                _mappings[i].ForbidHugePages();
            _uffd.Register(
                _mappings[i].Address,
                _mappings[i].Bytes,
                isShared ? UffdRegisterModes.Missing | UffdRegisterModes.Minor : UffdRegisterModes.Missing
            );
            _regions[i] = new GuestRegion(
                _mappings[i].Address,
                _mappings[i].Bytes,
                ranges[i].Start.Value << Page.Shift,
                _granule << Page.Shift
            );
        }
    }

    public GuestMemoryForm Form { get; }

    public ulong Pages { get; }

    /// <summary>The memfd; null for private memory.</summary>
    public OwnedFd? File { get; }

    /// <summary>Pages on which vCPUs exit (secret-free form); else null.</summary>
    public UserfaultBitmap? Bitmap { get; }

    /// <summary>Hands it over. Afterwards every bit is set, as a monitor may do late.</summary>
    public void HandOver(UnixSocket socket)
    {
        if (File is null)
        {
            MonitorHandshake.Send(socket, _regions, _uffd.Fd);
            return;
        }
        if (Bitmap is null)
        {
            MonitorHandshake.Send(socket, _regions, _uffd.Fd, File);
            return;
        }
        // Before the vCPUs run, so that none misses a page.
        Bitmap.SetAll();
        MonitorHandshake.Send(socket, _regions, _uffd.Fd, File, _bitmapFd!);
    }

    /// <summary>The address of a page. The memory behind it is for native calls alone.</summary>
    public byte* At(Gfn gfn)
    {
        // A map of its own a thread would find faster; a toucher's time goes into its faults.
        foreach (var region in _regions)
        {
            if ((gfn.Value << Page.Shift) - region.Offset < region.Bytes)
                return (byte*)region.AddressOf(PageOf(gfn));
        }
        throw new ArgumentOutOfRangeException(nameof(gfn));
    }

    /// <summary>The page of guest memory behind a frame: page n lies at frame n.</summary>
    public static MemoryPage PageOf(Gfn gfn) => new(gfn.Value);

    /// <summary>Pages of 4 KiB that come and go together: 1, or those of a huge page.</summary>
    public ulong Granule => _granule;

    /// <summary>Gives a range back, whole granules.</summary>
    public void Discard(GfnRange range)
    {
        for (var i = 0; i < _regions.Length; i++)
        {
            var part = new MemoryPageRange(PageOf(range.Start), range.Count).Intersect(_regions[i].Pages);
            if (part.Count == 0)
                continue;
            var (offset, bytes) = ((part.Start.Value << Page.Shift) - _regions[i].Offset, part.Count << Page.Shift);
            if (File is null)
                _mappings[i].Discard(offset, bytes);
            else
                _mappings[i].Remove(offset, bytes);
        }
    }

    public void Dispose()
    {
        _uffd.Dispose();
        foreach (var mapping in _mappings)
            mapping.Dispose();
        Bitmap?.Dispose();
        _bitmapMemory?.Dispose();
        _bitmapFd?.Dispose();
        File?.Dispose();
    }
}
