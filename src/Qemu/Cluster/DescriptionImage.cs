using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>A guest's description as an image that a data plane can serve: its bytes, and zeros to the end of the
/// page.</summary>
public sealed unsafe class DescriptionImage : IMemoryImage
{
    // Pinned for life, so that readers that are late meet ordinary garbage and no freed memory.
    private readonly byte[] _bytes;
    private readonly byte* _start;

    /// <summary>The description of a saved stream.</summary>
    /// <param name="image">The file; not needed afterwards.</param>
    /// <param name="identity">Which of its identities the description is asked for by.</param>
    /// <exception cref="PagingException">The guest is too large to be described.</exception>
    public DescriptionImage(QemuImage image, ImageIdentity identity)
        : this(
            DescriptionFormat.Write(GuestDescription.Of(image, identity), image?.Name ?? ""),
            GuestDescription.IdentityOf(identity)
        ) { }

    internal DescriptionImage(byte[] description, ImageIdentity identity)
    {
        Identity = identity;
        Pages = ((ulong)description.Length + Page.Size - 1) >> Page.Shift;
        _bytes = GC.AllocateArray<byte>((int)(Pages << Page.Shift), pinned: true);
        description.CopyTo(_bytes, 0);
        _start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
    }

    /// <inheritdoc/>
    public string Name => "a guest's description";

    /// <inheritdoc/>
    public ImageKind Kind => ImageKind.Raw;

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity { get; }

    /// <inheritdoc/>
    public byte* Read(MemoryPage page, byte* scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return _start + (page.Value << Page.Shift);
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
