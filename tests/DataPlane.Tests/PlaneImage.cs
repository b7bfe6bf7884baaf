using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>
/// An image in memory: page n is zero where n % 5 == 3, the same as page 0 where n % 7 == 6, else its own.
/// </summary>
internal sealed unsafe class PlaneImage : IMemoryImage
{
    private readonly byte[] _bytes;
    private readonly byte* _start;

    public PlaneImage(int pages, ulong seed = 1)
    {
        _bytes = GC.AllocateArray<byte>(pages * Page.Size, pinned: true);
        _start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
        for (var page = 0; page < pages; page++)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(_bytes.AsSpan(page * Page.Size, Page.Size));
            for (var i = 0; i < words.Length && !IsZero(page); i++)
            {
                words[i] = (seed << 32) + (ulong)((IsCopy(page) ? 0 : page * 1024) + i + 1);
            }
        }
        Pages = (ulong)pages;
        Identity = ImageIdentity.Of(this);
    }

    public string Name => "plane image";

    public ImageKind Kind => ImageKind.Raw;

    public ulong Pages { get; }

    public ImageIdentity Identity { get; }

    public static bool IsZero(int page) => page % 5 == 3;

    public static bool IsCopy(int page) => page % 7 == 6 && !IsZero(page);

    public byte[] Content(ulong page) => _bytes.AsSpan((int)page * Page.Size, Page.Size).ToArray();

    public ReadOnlySpan<byte> Span(ulong page, int pages) => _bytes.AsSpan((int)page * Page.Size, pages * Page.Size);

    public byte* Read(MemoryPage memoryPage, byte* scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(memoryPage.Value, Pages, nameof(memoryPage));
        return _start + ((long)memoryPage.Value * Page.Size);
    }

    public void Dispose() { }
}
