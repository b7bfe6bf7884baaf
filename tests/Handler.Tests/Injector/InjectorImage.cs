using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>
/// A few pages, made once for all runs: each word of a page is the page's own, one page in five is a hole, another one
/// in five is full of zeros. Handed out where it lies, as a mapped file is, or copied.
/// </summary>
internal sealed unsafe class InjectorImage : IMemoryImage
{
    public const ulong MaxPages = 64;
    private static readonly byte* Bytes = Make();
    private readonly bool _isMapped;

    public InjectorImage(bool isMapped) => _isMapped = isMapped;

    public string Name => "injector";

    public ImageKind Kind => ImageKind.Raw;

    public ulong Pages => MaxPages;

    public ImageIdentity Identity => default;

    /// <summary>Each word of a page; 0 for a page of zeros.</summary>
    public static ulong WordOf(ulong page) => page % 5 is 1 or 3 ? 0 : 0x1111_0000_0000_0000 | (page + 1);

    /// <summary>Where a page lies; null for a hole.</summary>
    public static byte* At(ulong page) => page % 5 == 1 ? null : Bytes + (page << Page.Shift);

    public byte* Read(MemoryPage page, byte* scratch)
    {
        var at = At(page.Value);
        if (at == null || _isMapped)
            return at;
        Buffer.MemoryCopy(at, scratch, Page.Size, Page.Size);
        return scratch;
    }

    public void Dispose() { }

    private static byte* Make()
    {
        var bytes = (byte*)NativeMemory.AlignedAlloc((nuint)MaxPages << Page.Shift, Page.Size);
        for (ulong page = 0; page < MaxPages; page++)
            new Span<ulong>(bytes + (page << Page.Shift), (int)Page.Size / 8).Fill(WordOf(page));
        return bytes;
    }
}
