using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// What a page that lies elsewhere must be: its SHA-256, and its fingerprint, the sum over its words that guest writes
/// move (<see cref="StampMath"/>). The one tells whether a page that nobody wrote arrived as it was; the other does so
/// of written pages, whose bytes are no longer the source's.
/// </summary>
/// <param name="Sha256">The 32 bytes of the SHA-256 of the page.</param>
/// <param name="Fingerprint">The page's fingerprint before any write.</param>
public readonly record struct PageDigest(Vector256<byte> Sha256, ulong Fingerprint)
{
    /// <summary>
    /// Bytes of a digest on the wire, little endian: [0..32) SHA-256 | [32..40) fingerprint | [40..64) zero.
    /// </summary>
    public const int Size = 64;

    /// <summary>Digests that fill a page.</summary>
    public const int PerPage = Page.Size / Size;

    private const int FingerprintAt = 32;

    // What a word's place puts into its hash.
    private static readonly ulong[] Keys =
    [
        .. Enumerable.Range(0, StampMath.WordsPerPage).Select(i => Mix64.Of((ulong)i + Mix64.Golden) + Mix64.Golden),
    ];

    /// <summary>The digest of the zero page.</summary>
    public static PageDigest Zero { get; } = OfZero();

    /// <summary>The digest of 4096 bytes.</summary>
    public static unsafe PageDigest Of(byte* page) =>
        ZeroPage.IsZero(page) ? Zero : Compute(new ReadOnlySpan<byte>(page, Page.Size));

    /// <summary>Is the SHA-256 of these 4096 bytes the digest's?</summary>
    public unsafe bool IsOf(byte* page)
    {
        if (ZeroPage.IsZero(page))
            return Sha256 == Zero.Sha256;
        Span<byte> hash = stackalloc byte[FingerprintAt];
        SHA256.HashData(new ReadOnlySpan<byte>(page, Page.Size), hash);
        return Vector256.Create<byte>(hash) == Sha256;
    }

    /// <summary>
    /// A page's fingerprint: the sum (mod 2^64) of one hash a word (<see cref="Mix64.At"/>), of its place and value.
    /// </summary>
    public static unsafe ulong FingerprintOf(ulong* words)
    {
        // Where images are elsewhere each read of the guest makes one: four words at a time.
        var sum = Vector256<ulong>.Zero;
        fixed (ulong* keys = Keys)
        {
            for (var i = 0; i < StampMath.WordsPerPage; i += Vector256<ulong>.Count)
                sum += Mix64.Of(Vector256.Load(keys + i) + (Vector256.Load(words + i) * Mix64.Golden));
        }

        return Vector256.Sum(sum);
    }

    /// <summary>Writes the <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        Sha256.CopyTo(to);
        BinaryPrimitives.WriteUInt64LittleEndian(to[FingerprintAt..], Fingerprint);
    }

    /// <summary>Reads <see cref="Size"/> bytes. Their rest is not looked at: a later source may say more.</summary>
    public static PageDigest Read(ReadOnlySpan<byte> from) =>
        new(Vector256.Create(from[..FingerprintAt]), BinaryPrimitives.ReadUInt64LittleEndian(from[FingerprintAt..]));

    private static unsafe PageDigest Compute(ReadOnlySpan<byte> page)
    {
        Span<byte> hash = stackalloc byte[FingerprintAt];
        SHA256.HashData(page, hash);
        fixed (byte* bytes = page)
            return new PageDigest(Vector256.Create<byte>(hash), FingerprintOf((ulong*)bytes));
    }

    private static PageDigest OfZero()
    {
        Span<byte> zeros = stackalloc byte[Page.Size];
        zeros.Clear();
        return Compute(zeros);
    }
}
