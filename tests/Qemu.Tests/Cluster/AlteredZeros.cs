using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>An image of another guest: it has content where this one is zero.</summary>
/// <param name="inner">The image; not owned.</param>
internal sealed unsafe class AlteredZeros(IMemoryImage inner) : IMemoryImage
{
    public string Name => "another";

    public ImageKind Kind => inner.Kind;

    public ulong Pages => inner.Pages;

    public ImageIdentity Identity => inner.Identity;

    public byte* Read(MemoryPage page, byte* scratch)
    {
        var bytes = inner.Read(page, scratch);
        if (bytes != null)
            return bytes;
        new Span<byte>(scratch, 4096).Fill(7);
        return scratch;
    }

    public void Dispose() { }
}
