using System.Buffers.Binary;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Changes valid bytes a little: bits, numbers that are special, pieces that are lost, doubled or exchanged, an end
/// that is missing. Most changes fall on bytes that mean something, not on the contents of pages.
/// </summary>
internal sealed class Mutations
{
    // Contents of pages are runs of one byte.
    private const int ShortestRun = 64;

    private static readonly ulong[] Special =
    [
        0,
        1,
        2,
        0xf,
        0x7f,
        0x80,
        0xff,
        0xfff,
        0x1000,
        0x2000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xfffffffffffff000,
        0xffffffffffffffff,
    ];

    private readonly byte[] _original;
    private readonly int[] _meaningful;
    private readonly byte[] _buffer;

    public Mutations(byte[] original)
    {
        _original = original;
        _buffer = new byte[2 * original.Length + 64];
        _meaningful = [.. Enumerable.Range(0, original.Length).Where(IsMeaningful)];
    }

    /// <summary>The most bytes that a mutation can have.</summary>
    public int MaxBytes => _buffer.Length;

    /// <summary>The bytes of one mutation; good until the next.</summary>
    public Span<byte> Next(ref FuzzRandom random)
    {
        _original.CopyTo(_buffer, 0);
        var length = _original.Length;
        for (var change = 1 + random.Below(3); change > 0; change--)
            length = Change(ref random, length);
        return _buffer.AsSpan(0, length);
    }

    private int Change(ref FuzzRandom random, int length)
    {
        if (length == 0)
            return 0;
        var at = _meaningful[random.Below(_meaningful.Length)] % length;
        var rest = length - at;
        switch (random.Below(9))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << random.Below(8));
                return length;
            case 1:
                _buffer[at] = (byte)random.Next();
                return length;
            case 2 or 3 or 4:
                Write(at, rest, Near(ref random), 1 << random.Below(4));
                return length;
            case 5:
                return at;
            case 6:
                var lost = Math.Min(1 + random.Below(32), rest);
                _buffer.AsSpan(at + lost, rest - lost).CopyTo(_buffer.AsSpan(at));
                return length - lost;
            case 7:
                var doubled = Math.Min(Math.Min(1 + random.Below(64), rest), _buffer.Length - length);
                _buffer.AsSpan(at, rest).CopyTo(_buffer.AsSpan(at + doubled));
                return length + doubled;
            default:
                var from = _meaningful[random.Below(_meaningful.Length)] % length;
                var copied = Math.Min(1 + random.Below(32), length - Math.Max(at, from));
                _buffer.AsSpan(from, copied).CopyTo(_buffer.AsSpan(at));
                return length;
        }
    }

    private static ulong Near(ref FuzzRandom random) =>
        Special[random.Below(Special.Length)] + (ulong)random.Below(3) - 1;

    private void Write(int at, int rest, ulong value, int bytes)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(number, value);
        var written = Math.Min(bytes, rest);
        number[^bytes..][..written].CopyTo(_buffer.AsSpan(at));
    }

    private bool IsMeaningful(int at)
    {
        var from = Math.Max(0, at - ShortestRun);
        var to = Math.Min(_original.Length, at + ShortestRun);
        return _original.AsSpan(from, to - from).ContainsAnyExcept(_original[at]);
    }
}
