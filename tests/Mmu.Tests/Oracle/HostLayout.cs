using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The host memory behind the guest: one reservation, cut into areas. The kernel's VM uses the memory itself; the model's
/// VM is told the same addresses and keeps a copy of the contents of its own.
/// </summary>
/// <remarks>
/// All pages are populated before a VM sees them, so that no host fault changes what the guest's next access finds. The
/// last 16 bytes of every page hold RET instructions and are never written: that is where the guest may jump to.
/// </remarks>
public sealed unsafe class HostLayout : IDisposable
{
    public const ulong WritableSize = 4 << 20;
    public const ulong ReadOnlySize = 1 << 20;
    public const ulong HoleSize = 1 << 20;
    public const ulong BootSize = 64 << 10;

    /// <summary>Offset within a page from which on it holds RET instructions.</summary>
    public const int ReturnsOffset = 0xff0;

    private const ulong Alignment = 2 << 20;
    private readonly byte[] _template = Template();
    private readonly nint _reservation;
    private readonly nuint _reserved = (nuint)(WritableSize + ReadOnlySize + HoleSize + (2 * Alignment));

    public HostLayout()
    {
        _reservation = LibC.Map(0, _reserved, LibC.ProtNone, LibC.MapPrivate | LibC.MapAnonymous);
        Base = ((ulong)_reservation + Alignment - 1) & ~(Alignment - 1);
        LibC.Protect((nint)Base, (nuint)(WritableSize + ReadOnlySize), LibC.ProtRead | LibC.ProtWrite);
        LibC.Protect((nint)Start(HostArea.Boot), (nuint)BootSize, LibC.ProtRead | LibC.ProtWrite);
        LibC.Advise((nint)_reservation, _reserved, LibC.AdviseNoHugePage);
        _template.CopyTo(new Span<byte>((void*)Base, (int)(WritableSize + ReadOnlySize)));
        new Span<byte>((void*)Start(HostArea.Boot), (int)BootSize).Clear();
        LibC.Protect((nint)Start(HostArea.ReadOnly), (nuint)ReadOnlySize, LibC.ProtRead);
    }

    /// <summary>First address of the writable area, which is followed by the read-only area, the hole and boot.</summary>
    public ulong Base { get; }

    /// <summary>One past the last address of the areas.</summary>
    public ulong End => Start(HostArea.Boot) + BootSize;

    public ulong Start(HostArea area) => area switch
    {
        HostArea.Writable => Base,
        HostArea.ReadOnly => Base + WritableSize,
        HostArea.Hole => Base + WritableSize + ReadOnlySize,
        HostArea.Boot => Base + WritableSize + ReadOnlySize + HoleSize,
        _ => 0,
    };

    public ulong Resolve(HostAddress address) => Start(address.Area) + address.Offset;

    /// <summary>The area that holds <paramref name="address"/>; the hole for every address outside.</summary>
    public HostArea AreaOf(ulong address)
    {
        foreach (var (area, size) in new[]
                 {
                     (HostArea.Writable, WritableSize), (HostArea.ReadOnly, ReadOnlySize), (HostArea.Boot, BootSize),
                 })
        {
            if (address - Start(area) < size)
                return area;
        }

        return HostArea.Hole;
    }

    /// <summary>Puts the writable area back to its first contents. No VM may use it meanwhile.</summary>
    public void Reset() => _template.AsSpan(0, (int)WritableSize).CopyTo(new Span<byte>((void*)Base, (int)WritableSize));

    /// <summary>First contents of the writable and the read-only area: every word tells its own offset.</summary>
    public static byte[] Template()
    {
        var bytes = new byte[WritableSize + ReadOnlySize];
        var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        for (var i = 0; i < words.Length; i++)
        {
            var offset = (ulong)i * sizeof(ulong);
            words[i] = (offset & Page.OffsetMask) >= ReturnsOffset
                ? 0xc3c3_c3c3_c3c3_c3c3
                : (offset << 16) ^ 0x5eed_0000_0000_0000;
        }

        return bytes;
    }

    public void Dispose() => LibC.Unmap(_reservation, _reserved);
}
