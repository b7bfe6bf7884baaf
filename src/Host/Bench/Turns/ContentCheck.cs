using System.Runtime.InteropServices;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>Compares pages that are in place with an image.</summary>
internal sealed unsafe class ContentCheck(TurnMemory memory, IMemoryImage image)
{
    /// <summary>Pages of 4 KiB that were compared.</summary>
    public long Checked { get; private set; }

    /// <summary>Of these, pages with other content.</summary>
    public long Wrong { get; private set; }

    /// <summary>The lowest of them; null where there is none.</summary>
    public ulong? FirstWrong { get; private set; }

    /// <summary>Compares pages of the memory's own size.</summary>
    public void Compare(ReadOnlySpan<uint> pages)
    {
        // A page of zeros, and room for what the image makes.
        var room = (byte*)NativeMemory.AlignedAlloc(2 * Page.Size, Page.Size);
        try
        {
            new Span<byte>(room, Page.Size).Clear();
            foreach (var page in pages)
            {
                for (ulong part = 0; part < memory.PagesPerPage; part++)
                    Compare(((ulong)page * memory.PagesPerPage) + part, room);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(room);
        }
    }

    private void Compare(ulong page, byte* room)
    {
        var content = image.Read(new MemoryPage(page), room + Page.Size);
        Checked++;
        if (NativeTouch.Equal(memory.At(page), content == null ? room : content, Page.Size))
            return;
        Wrong++;
        FirstWrong = FirstWrong is { } first ? Math.Min(first, page) : page;
    }
}
