using System.Buffers.Binary;
using System.Text;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// One source that a node knows of, as its data plane lists it to clients, so that a process outside the cluster can
/// find every replica of an image. On the wire, little endian: [0..32) image | [32..40) pages | [40..42) port | [42]
/// bytes of host | [43] bytes of name | host | name.
/// </summary>
/// <param name="Image">The image that the source serves.</param>
/// <param name="PageCount">Size of the image, in pages.</param>
/// <param name="Host">Host to connect to; empty for the server that sent the list, at the address used to reach
/// it.</param>
/// <param name="Port">TCP port; 0 if <paramref name="Host"/> is empty.</param>
/// <param name="Name">A name for people.</param>
public sealed record SourceListing(ImageIdentity Image, ulong PageCount, string Host, int Port, string Name)
{
    private const int FixedSize = 44;

    internal const int MaxSize = FixedSize + (2 * WireLimits.TextBytes);

    internal int Write(Span<byte> to)
    {
        Image.WriteTo(to);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], PageCount);
        BinaryPrimitives.WriteUInt16LittleEndian(to[40..], (ushort)Port);
        var host = Encoding.UTF8.GetBytes(Host);
        var name = Encoding.UTF8.GetBytes(Name);
        if (host.Length > WireLimits.TextBytes || name.Length > WireLimits.TextBytes)
        {
            throw new ArgumentException($"host or name of source '{Name}' is longer than {WireLimits.TextBytes} bytes");
        }
        to[42] = (byte)host.Length;
        to[43] = (byte)name.Length;
        host.CopyTo(to[FixedSize..]);
        name.CopyTo(to[(FixedSize + host.Length)..]);
        return FixedSize + host.Length + name.Length;
    }

    /// <summary>Reads one entry and moves <paramref name="payload"/> past it; false if it is truncated.</summary>
    internal static bool TryRead(ref ReadOnlySpan<byte> payload, out SourceListing? listing)
    {
        listing = null;
        if (payload.Length < FixedSize || payload.Length < FixedSize + payload[42] + payload[43])
        {
            return false;
        }
        int hostBytes = payload[42];
        var size = FixedSize + hostBytes + payload[43];
        listing = new SourceListing(
            new ImageIdentity(payload),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[32..]),
            Encoding.UTF8.GetString(payload.Slice(FixedSize, hostBytes)),
            BinaryPrimitives.ReadUInt16LittleEndian(payload[40..]),
            Encoding.UTF8.GetString(payload[(FixedSize + hostBytes)..size])
        );
        payload = payload[size..];
        return true;
    }
}
