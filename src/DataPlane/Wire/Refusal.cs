using System.Buffers.Binary;
using System.Text;

namespace Userfault.DataPlane;

/// <summary>
/// Why a connection of the data plane ended; also the server's last frame, if that gives the reason. On the wire,
/// little endian: [0..2) reason | [2..4) bytes of text | text in UTF-8, at most 255 bytes.
/// </summary>
/// <param name="Reason">The reason, from a closed set.</param>
/// <param name="Text">One line for people.</param>
public readonly record struct Refusal(RefusalReason Reason, string Text)
{
    internal const int MaxSize = 4 + WireLimits.TextBytes;

    internal int Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)Reason);
        // A cut inside a character leaves an invalid sequence, which the reader replaces: GetChars never throws here.
        var text = Encoding.UTF8.GetBytes(Text);
        var length = Math.Min(text.Length, WireLimits.TextBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], (ushort)length);
        text.AsSpan(0, length).CopyTo(to[4..]);
        return 4 + length;
    }

    internal static bool TryRead(ReadOnlySpan<byte> payload, out Refusal refusal)
    {
        refusal = default;
        if (
            payload.Length is < 4 or > MaxSize
            || BinaryPrimitives.ReadUInt16LittleEndian(payload[2..]) != payload.Length - 4
        )
        {
            return false;
        }
        refusal = new Refusal(
            (RefusalReason)BinaryPrimitives.ReadUInt16LittleEndian(payload),
            PrintableText(payload[4..])
        );
        return true;
    }

    // A peer's text ends up in logs and terminals: control characters are replaced.
    private static string PrintableText(ReadOnlySpan<byte> utf8) =>
        string.Create(null, $"{string.Concat(Encoding.UTF8.GetString(utf8).Select(c => char.IsControl(c) ? '?' : c))}");
}
