using System.Runtime.InteropServices;
using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The host memory behind the guest: one reservation, cut into areas. The kernel's VM uses the memory itself; the
/// model's VM is told the same addresses and keeps a copy of the contents of its own.
/// </summary>
/// <remarks>
/// All pages are populated before a VM sees them, so that no host fault changes what the guest's next access finds. The
/// last 16 bytes of every page hold RET instructions and are never written: that is where the guest may jump to.
/// </remarks>
public sealed unsafe class HostLayout : IDisposable
{
    public const ulong WritableSize = 4 << 20;
    public const ulong HugeSize = 4 << 20;
    public const ulong ReadOnlySize = 1 << 20;
    public const ulong HoleSize = 64 << 20;
    public const ulong BootSize = 256 << 10;

    /// <summary>Bytes that userfault bitmaps may lie in; behind them is a page that cannot be read.</summary>
    public const ulong BitmapSize = 2 * Page.Size;

    /// <summary>Offset within a page from which on it holds RET instructions.</summary>
    public const int ReturnsOffset = 0xff0;

    private const ulong GuestWritableSize = WritableSize + HugeSize;
    private const ulong FilledSize = GuestWritableSize + ReadOnlySize;
    private const ulong Alignment = 2 << 20;
    private readonly byte[] _template = Template();
    private readonly HashSet<ulong> _written = [];
    private readonly MemoryMapping _bitmaps = MemoryMapping.Reserve(BitmapSize + Page.Size);
    private readonly MemoryMapping _reservation = MemoryMapping.Reserve(
        (FilledSize + HoleSize + BootSize + Alignment + (Alignment - 1)) & ~(ulong)Page.OffsetMask
    );

    public HostLayout()
    {
        _bitmaps.Protect(0, BitmapSize, writable: true);
        Base = (_reservation.Address + BootSize + Alignment - 1) & ~(Alignment - 1);
        _reservation.Protect(Base - _reservation.Address, FilledSize, writable: true);
        _reservation.Protect(Start(HostArea.Boot) - _reservation.Address, BootSize, writable: true);
        _reservation.ForbidHugePages();
        _reservation.AskForHugePages(Start(HostArea.Huge) - _reservation.Address, HugeSize);
        _template.CopyTo(new Span<byte>((void*)Base, (int)FilledSize));
        new Span<byte>((void*)Start(HostArea.Boot), (int)BootSize).Clear();
        _reservation.Protect(Start(HostArea.ReadOnly) - _reservation.Address, ReadOnlySize, writable: false);
        HasHugePages = HugeKib(Start(HostArea.Huge)) == HugeSize >> 10;
    }

    /// <summary>Did the host back the huge area by 2 MiB pages, all of it?</summary>
    public bool HasHugePages { get; }

    /// <summary>
    /// First address of the writable area, behind which the others lie. The hole is the last, and larger than the
    /// largest slot: no program reaches memory that is not the layout's.
    /// </summary>
    public ulong Base { get; }

    /// <summary>First address of the memory for userfault bitmaps, which lies apart from the areas.</summary>
    public ulong Bitmaps => _bitmaps.Address;

    public ulong Start(HostArea area) =>
        area switch
        {
            HostArea.Absolute => 0,
            HostArea.Boot => Base - BootSize,
            _ => Base + StartOffset(area),
        };

    public ulong Resolve(HostAddress address) => Start(address.Area) + address.Offset;

    /// <summary>
    /// Does a region's host memory lie in the layout, to its last byte? Nothing else may be accessed.
    /// </summary>
    public static bool Holds(HostAddress address, ulong size)
    {
        const ulong total = FilledSize + HoleSize;
        return address.Area is not (HostArea.Absolute or HostArea.Boot)
            && address.Offset < total
            && StartOffset(address.Area) + address.Offset + size <= total;
    }

    /// <summary>The area that holds <paramref name="address"/>; the hole for every address outside.</summary>
    public HostArea AreaOf(ulong address)
    {
        foreach (
            var (area, size) in new[]
            {
                (HostArea.Writable, WritableSize),
                (HostArea.Huge, HugeSize),
                (HostArea.ReadOnly, ReadOnlySize),
                (HostArea.Boot, BootSize),
            }
        )
        {
            if (address - Start(area) < size)
                return area;
        }

        return HostArea.Hole;
    }

    /// <summary>Tells that the guest may write this page, so that <see cref="Reset"/> knows.</summary>
    public void NoteWrite(ulong address) => _written.Add((address - Base) >> Page.Shift);

    /// <summary>Puts what the guest wrote back to its first contents. No VM may use it meanwhile.</summary>
    public void Reset()
    {
        foreach (var page in _written)
        {
            var offset = (int)(page << Page.Shift);
            _template.AsSpan(offset, Page.Size).CopyTo(new Span<byte>((byte*)Base + offset, Page.Size));
        }

        _written.Clear();
        new Span<byte>((byte*)Bitmaps, (int)BitmapSize).Clear();
    }

    /// <summary>
    /// First contents of the areas from <see cref="Base"/> on that hold any: every word tells its own offset.
    /// </summary>
    public static byte[] Template()
    {
        var bytes = new byte[FilledSize];
        var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        for (var i = 0; i < words.Length; i++)
        {
            var offset = (ulong)i * sizeof(ulong);
            words[i] =
                (offset & Page.OffsetMask) >= ReturnsOffset
                    ? 0xc3c3_c3c3_c3c3_c3c3
                    : (offset << 16) ^ 0x5eed_0000_0000_0000;
        }

        return bytes;
    }

    private static ulong StartOffset(HostArea area) =>
        area switch
        {
            HostArea.Huge => WritableSize,
            HostArea.ReadOnly => GuestWritableSize,
            HostArea.Hole => FilledSize,
            _ => 0,
        };

    private static ulong HugeKib(ulong address)
    {
        var isInside = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            var end = line.IndexOf(' ', StringComparison.Ordinal);
            if (line.StartsWith($"{address:x}-", StringComparison.Ordinal))
                isInside = true;
            else if (isInside && line.StartsWith("AnonHugePages:", StringComparison.Ordinal))
                return ulong.Parse(line[(end + 1)..^3].Trim());
        }

        return 0;
    }

    public void Dispose()
    {
        _reservation.Dispose();
        _bitmaps.Dispose();
    }
}
