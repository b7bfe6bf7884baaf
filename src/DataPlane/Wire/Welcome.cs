using System.Buffers.Binary;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The server's confirmation that the session is open, little endian:
/// [0..2) version | [2..4) zero | [4..8) maximum outstanding pages | [8..12) maximum outstanding requests |
/// [12..16) maximum pages per request | [16..20) duplicate window | [20..24) silence in ms after which the server
/// closes | [24..32) pages of the image | [32..64) image, zeros for none.
/// </summary>
internal sealed record Welcome(
    uint MaxPages,
    uint MaxRequests,
    uint MaxRequestPages,
    uint DuplicateWindow,
    uint IdleMs,
    ulong ImagePages,
    ImageIdentity Image
)
{
    public const int Size = 64;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, WireLimits.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], MaxPages);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], MaxRequests);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], MaxRequestPages);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], DuplicateWindow);
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], IdleMs);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], ImagePages);
        Image.WriteTo(to[32..]);
    }

    /// <summary>
    /// None, or why the welcome is refused: limits that no request could satisfy, or a size beyond any address space.
    /// </summary>
    public static RefusalReason TryRead(ReadOnlySpan<byte> payload, out Welcome? welcome)
    {
        welcome = null;
        if (payload.Length != Size)
        {
            return RefusalReason.BadFrame;
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(payload) != WireLimits.Version)
        {
            return RefusalReason.UnsupportedVersion;
        }
        welcome = new Welcome(
            BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[24..]),
            new ImageIdentity(payload[32..])
        );
        return welcome.IsSane ? RefusalReason.None : RefusalReason.BadFrame;
    }

    private bool IsSane =>
        MaxRequests > 0
        && MaxRequestPages > 0
        && MaxRequestPages <= MaxPages
        && IdleMs > 0
        && DuplicateWindow <= WireLimits.DuplicateWindow
        && ImagePages <= ulong.MaxValue >> Page.Shift;
}
