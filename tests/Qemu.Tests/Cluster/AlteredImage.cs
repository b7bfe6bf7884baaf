using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>An image that has another content in some of its pages, and says that it is the same.</summary>
/// <param name="inner">The image; not owned.</param>
/// <param name="isAltered">Which pages.</param>
internal sealed unsafe class AlteredImage(IMemoryImage inner, Func<ulong, bool> isAltered) : IMemoryImage
{
    private readonly byte[] _bytes = GC.AllocateArray<byte>((int)inner.Pages << 12, pinned: true);

    public string Name => "altered";

    public ImageKind Kind => inner.Kind;

    public ulong Pages => inner.Pages;

    public ImageIdentity Identity => inner.Identity;

    public byte* Read(MemoryPage page, byte* scratch)
    {
        var bytes = inner.Read(page, scratch);
        if (bytes == null || !isAltered(page.Value))
            return bytes;
        fixed (byte* start = _bytes)
        {
            var own = start + (page.Value << 12);
            Buffer.MemoryCopy(bytes, own, 4096, 4096);
            own[100] ^= 1;
            return own;
        }
    }

    public void Dispose() { }
}
