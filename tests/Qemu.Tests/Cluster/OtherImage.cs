using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>An image of another guest: it has content where this one is zero, and other content.</summary>
/// <param name="inner">The image; not owned.</param>
internal sealed unsafe class OtherImage(IMemoryImage inner) : IMemoryImage
{
    public string Name => "another";

    public ImageKind Kind => inner.Kind;

    public ulong Pages => inner.Pages;

    public ImageIdentity Identity => inner.Identity;

    public byte* Read(MemoryPage page, byte* scratch)
    {
        var bytes = inner.Read(page, scratch);
        if (bytes == null)
            new Span<byte>(scratch, 4096).Fill(7);
        else
            new Span<byte>(scratch, 4096).Fill((byte)~bytes[0]);
        return scratch;
    }

    public void Dispose() { }
}
