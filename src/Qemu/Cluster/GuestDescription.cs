using System.Security.Cryptography;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// What a restore needs of a saved stream beside its pages: the shape of RAM, the devices' state, and which pages have
/// content. It travels as an image of its own (<see cref="DescriptionImage"/>), as an image's manifest does, so that
/// whatever carries pages carries it. What it looks like is in <see cref="DescriptionFormat"/>.
/// </summary>
public sealed class GuestDescription
{
    internal GuestDescription(
        ImageIdentity image,
        SavedStream stream,
        ReadOnlyMemory<byte> devices,
        ReadOnlyMemory<byte> json,
        ReadOnlyMemory<byte> content
    )
    {
        (Image, Stream, Devices, Json, Content) = (image, stream, devices, json, content);
        ContentPages = PagesIn(content.Span);
    }

    /// <summary>The image that it belongs to, by the identity that it was asked for by.</summary>
    public ImageIdentity Image { get; }

    /// <summary>What the file holds beside its pages; without offsets in the file, which stay with it.</summary>
    public SavedStream Stream { get; }

    /// <summary>The state of the devices, as the destination must get it.</summary>
    public ReadOnlyMemory<byte> Devices { get; }

    /// <summary>QEMU's description of the devices (JSON); empty where the file has none.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>Pages that are not known to be zero.</summary>
    public ulong ContentPages { get; }

    /// <summary>A bit per page: 1 where the file has content. Page n is bit n % 8 of byte n / 8.</summary>
    internal ReadOnlyMemory<byte> Content { get; }

    /// <summary>Is the page known to be zero?</summary>
    public bool IsZero(MemoryPage page) => (Content.Span[(int)(page.Value / 8)] & (1 << (int)(page.Value % 8))) == 0;

    /// <summary>
    /// The identity under which the description is asked for: a SHA-256 over a label and the image's identity.
    /// </summary>
    public static ImageIdentity IdentityOf(ImageIdentity image)
    {
        Span<byte> bytes = stackalloc byte[16 + ImageIdentity.Size];
        bytes.Clear();
        "userfault.qemu"u8.CopyTo(bytes);
        image.WriteTo(bytes[16..]);
        return new ImageIdentity(SHA256.HashData(bytes));
    }

    /// <summary>The description of a saved stream.</summary>
    /// <param name="image">The file.</param>
    /// <param name="identity">Which of its identities it is asked for by.</param>
    public static GuestDescription Of(QemuImage image, ImageIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(image);
        var content = new byte[(image.Pages + 7) / 8];
        for (ulong page = 0; page < image.Pages; page++)
        {
            if (!image.IsZero(new MemoryPage(page)))
                content[page / 8] |= (byte)(1 << (int)(page % 8));
        }

        return new GuestDescription(
            identity,
            image.Stream,
            image.DeviceState.ToArray(),
            image.Description.ToArray(),
            content
        );
    }

    private static ulong PagesIn(ReadOnlySpan<byte> content)
    {
        ulong pages = 0;
        foreach (var bits in content)
            pages += (ulong)byte.PopCount(bits);
        return pages;
    }
}
