using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// The identity of an image by every page of it. To make it, all of the image is read once, which takes about a second
/// per GiB that is not a hole and fills the machine's page cache; it is kept in a folder of the user's cache under the
/// file's stamp, so that the same file in the same state is never read for it again.
/// </summary>
public static class WholeImage
{
    /// <summary>
    /// Where identities are kept: below XDG_CACHE_HOME, or .cache of the user's home; null for neither.
    /// </summary>
    public static string? DefaultFolder => UserCache.FolderFor("images");

    /// <summary>
    /// The identity by every page, where it is known without reading the image; null where it is not.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="folder">Where identities are kept; null: nowhere.</param>
    public static ImageIdentity? TryKnown(IMemoryImage image, string? folder)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (!image.Identity.IsProvisional)
            return image.Identity;
        if (folder is null || FileOf(image, folder) is not { } path || image.Change() is { IsContent: true })
            return null;
        try
        {
            var bytes = File.ReadAllBytes(path);
            return
                bytes.Length == ImageIdentity.Size
                && new ImageIdentity(bytes) is { IsProvisional: false } known
                && known.IsSameSample(image.Identity)
                ? known
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads all of the image, and keeps what was found where that can be.</summary>
    /// <param name="image">The image.</param>
    /// <param name="folder">Where identities are kept; null: nowhere.</param>
    /// <param name="time">The clock that files are stamped by.</param>
    /// <param name="cancelled">Ends it without an answer.</param>
    /// <returns>The identity; null where the file has changed meanwhile, or it was cancelled.</returns>
    public static ImageIdentity? Read(
        IMemoryImage image,
        string? folder,
        TimeProvider time,
        CancellationToken cancelled
    )
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(time);
        var atFirst = image.Identity;
        if (!atFirst.IsProvisional)
            return atFirst;
        var path = folder is null ? null : FileOf(image, folder);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!TryHash(image, hash, cancelled) || image.Change() is { IsContent: true })
            return null;
        var whole = ImageIdentity.OfWhole(atFirst, hash);
        if (path is not null && path == FileOf(image, folder!) && IsSettled(image, time))
            Keep(path, whole);
        return whole;
    }

    // Page number and bytes of every page that is not zero: holes, and zeros that are written out, are the same.
    private static unsafe bool TryHash(IMemoryImage image, Span<byte> to, CancellationToken cancelled)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        var scratch = (byte*)NativeMemory.AlignedAlloc(Page.Size, Page.Size);
        try
        {
            for (ulong page = 0; page < image.Pages; page++)
            {
                if (cancelled.IsCancellationRequested)
                    return false;
                if (image.HoleAt(new MemoryPage(page)) is > 0 and var hole)
                {
                    page += hole - 1;
                    continue;
                }

                var bytes = image.Read(new MemoryPage(page), scratch);
                if (bytes == null || ZeroPage.IsZero(bytes))
                    continue;
                BinaryPrimitives.WriteUInt64LittleEndian(number, page);
                hash.AppendData(number);
                hash.AppendData(new ReadOnlySpan<byte>(bytes, Page.Size));
            }

            hash.GetHashAndReset(to);
            return true;
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    }

    private static FileStamp? StampOf(IMemoryImage image) =>
        image.OpenPath is { } path && FileStamp.TryOf(path) is { Kind: FileKind.Regular } stamp ? stamp : null;

    private static bool IsSettled(IMemoryImage image, TimeProvider time) =>
        StampOf(image) is { } stamp && stamp.IsSettledAt(time.GetUtcNow());

    private static string? FileOf(IMemoryImage image, string folder) =>
        StampOf(image) is { } stamp
            ? Path.Combine(folder, ImageIdentity.KeyOf(image, image.Identity, stamp).ToString())
            : null;

    // Whole or not at all. Where it cannot be kept it is made again next time.
    private static void Keep(string path, ImageIdentity identity)
    {
        var bytes = new byte[ImageIdentity.Size];
        identity.WriteTo(bytes);
        var temporary = $"{path}.{Environment.ProcessId}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing depends on it.
        }
    }
}
