using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// A working set as an image that a data plane can serve: the bytes of <see cref="WorkingSetFormat"/>, and zeros to the
/// end of the page. It has an identity of its own, so that whatever carries pages carries it.
/// </summary>
public sealed unsafe class WorkingSetImage : IMemoryImage
{
    // Pinned for life, so that readers that are late meet ordinary garbage and no freed memory.
    private readonly byte[] _bytes;
    private readonly byte* _start;

    /// <summary>A set, for those that ask for that of an image.</summary>
    /// <param name="set">The set.</param>
    /// <param name="image">The identity of the image by which it is asked for.</param>
    /// <param name="name">The set's name, for messages.</param>
    /// <exception cref="PagingException">It is too large to travel.</exception>
    public WorkingSetImage(WorkingSet set, ImageIdentity image, string name)
    {
        var bytes = WorkingSetFormat.Write(set);
        if ((ulong)bytes.Length > WorkingSetFormat.MaxBytes)
        {
            throw new PagingException(
                PagingError.BadSize,
                name,
                $"a working set of {bytes.Length} bytes; at most {WorkingSetFormat.MaxBytes} travel",
                "bound it with `userfault workingset merge --limit`"
            );
        }

        (Name, Identity) = ("a working set", IdentityOf(image));
        Pages = ((ulong)bytes.Length + Page.Size - 1) >> Page.Shift;
        _bytes = GC.AllocateArray<byte>((int)(Pages << Page.Shift), pinned: true);
        bytes.CopyTo(_bytes, 0);
        _start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ImageKind Kind => ImageKind.Raw;

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity { get; }

    /// <summary>
    /// The identity under which the working set of an image is asked for: a SHA-256 over a label and the image's.
    /// </summary>
    public static ImageIdentity IdentityOf(ImageIdentity image)
    {
        Span<byte> bytes = stackalloc byte[16 + ImageIdentity.Size];
        bytes.Clear();
        "userfault.wset"u8.CopyTo(bytes);
        image.WriteTo(bytes[16..]);
        return new ImageIdentity(SHA256.HashData(bytes));
    }

    /// <inheritdoc/>
    public byte* Read(MemoryPage page, byte* scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return _start + (page.Value << Page.Shift);
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
