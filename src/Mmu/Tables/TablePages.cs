using System.Numerics;
using System.Runtime.InteropServices;

namespace Userfault.Mmu;

// The table pages of one table, in native memory: 4 KiB, page aligned, zeroed when handed out. They come from chunks of
// 64 pages, the first of which holds the writer's data about the other 63; a chunk is aligned to its size, so that a
// page's address leads to its info. A chunk's memory is not committed before its pages are handed out.
//
// Owner: only the table's writer. Pages removed from the table are retired, and freed only when no reader can hold
// them.
internal sealed unsafe class TablePages(TableReaders readers, ulong poison) : IDisposable
{
    private const int PagesPerChunk = 64;
    private const nuint ChunkBytes = PagesPerChunk * Page.Size;
    private const ulong AllFree = ~1UL;
    private const int RetiredBeforeReclaim = 64;

    // The first chunk of the ring. Chunks with free pages come first, full ones after them.
    private TableChunk* _first;
    private ulong* _oldestRetired;
    private ulong* _latestRetired;
    private int _retiredUntilReclaim = RetiredBeforeReclaim;
    private long _chunks;

    public long InUse { get; private set; }

    public long Retired { get; private set; }

    public long ReservedBytes => _chunks * (long)ChunkBytes;

    public static TablePageInfo* InfoOf(ulong* page)
    {
        var chunk = (ulong)page & ~((ulong)ChunkBytes - 1);
        var index = ((ulong)page - chunk) >> Page.Shift;
        return (TablePageInfo*)chunk + index;
    }

    // Entries hold 48-bit addresses; the system maps user-space memory within them unless requested otherwise.
    public static ulong* AllocateAligned(nuint bytes)
    {
        var memory = NativeMemory.AlignedAlloc(bytes, bytes);
        if (((ulong)memory + bytes) >> 48 != 0)
        {
            NativeMemory.AlignedFree(memory);
            throw new PlatformNotSupportedException("native memory lies beyond the 48 bits that entries hold");
        }
        return (ulong*)memory;
    }

    // A zeroed page.
    public ulong* Allocate()
    {
        if (_first == null || _first->Free == 0)
        {
            Reclaim();
            if (_first == null || _first->Free == 0)
            {
                AddChunk();
            }
        }
        var chunk = _first;
        var index = BitOperations.TrailingZeroCount(chunk->Free);
        chunk->Free &= chunk->Free - 1;
        if (chunk->Free == 0)
        {
            // In a ring, this moves the first chunk behind the last.
            _first = chunk->Next;
        }
        InUse++;
        var page = (ulong*)((byte*)chunk + ((nuint)index << Page.Shift));
        if (poison != 0 && new Span<ulong>(page, PageLevels.EntriesPerTable).IndexOfAnyExcept(poison) >= 0)
        {
            throw new InvalidOperationException($"the free table page 0x{(ulong)page:x} was written to");
        }
        NativeMemory.Clear(page, Page.Size);
        InfoOf(page)->Used = 0;
        return page;
    }

    // Takes a page that no entry leads to any more; the store that unlinked it must have been a full fence. The page
    // may be free when this returns: the caller must not access it again.
    public void Retire(ulong* page)
    {
        var info = InfoOf(page);
        info->RetiredIn = readers.Current;
        info->NextRetired = null;
        if (_latestRetired == null)
        {
            _oldestRetired = page;
        }
        else
        {
            InfoOf(_latestRetired)->NextRetired = page;
        }
        _latestRetired = page;
        InUse--;
        Retired++;
        if (--_retiredUntilReclaim == 0)
        {
            Reclaim();
        }
    }

    // Frees the retired pages that no reader can reach any more.
    public void Reclaim()
    {
        // With poison, each page is freed as early as permitted, so that premature frees are detected soonest.
        _retiredUntilReclaim = poison == 0 ? RetiredBeforeReclaim : 1;
        if (_oldestRetired == null)
        {
            return;
        }
        // Without a new epoch, readers that enter from now on would delay the freeing of pages that they cannot reach.
        if (InfoOf(_latestRetired)->RetiredIn == readers.Current)
        {
            readers.Advance();
        }
        var oldest = readers.OldestAnnounced();
        while (_oldestRetired != null && InfoOf(_oldestRetired)->RetiredIn < oldest)
        {
            var page = _oldestRetired;
            _oldestRetired = InfoOf(page)->NextRetired;
            Retired--;
            Free(page);
        }
        if (_oldestRetired == null)
        {
            _latestRetired = null;
        }
    }

    public void Dispose()
    {
        while (_first != null)
        {
            Release(_first);
        }
        _oldestRetired = _latestRetired = null;
        InUse = Retired = 0;
    }

    private void AddChunk()
    {
        var chunk = (TableChunk*)AllocateAligned(ChunkBytes);
        chunk->Free = AllFree;
        Insert(chunk);
        _chunks++;
        if (poison != 0)
        {
            new Span<ulong>((byte*)chunk + Page.Size, (PagesPerChunk - 1) * PageLevels.EntriesPerTable).Fill(poison);
        }
    }

    private void Free(ulong* page)
    {
        if (poison != 0)
        {
            new Span<ulong>(page, PageLevels.EntriesPerTable).Fill(poison);
        }
        var chunk = (TableChunk*)((ulong)page & ~((ulong)ChunkBytes - 1));
        var wasFull = chunk->Free == 0;
        chunk->Free |= 1UL << (int)(((ulong)page - (ulong)chunk) >> Page.Shift);
        if (wasFull)
        {
            Remove(chunk);
            Insert(chunk);
        }
        // One chunk with free pages is kept. Poisoned chunks are kept as well; otherwise a stale reader would hit an
        // access violation instead of poison.
        var others = _first != chunk || (chunk->Next != chunk && chunk->Next->Free != 0);
        if (chunk->Free == AllFree && others && poison == 0)
        {
            Release(chunk);
        }
    }

    private void Release(TableChunk* chunk)
    {
        Remove(chunk);
        _chunks--;
        NativeMemory.AlignedFree(chunk);
    }

    private void Insert(TableChunk* chunk)
    {
        if (_first == null)
        {
            chunk->Next = chunk->Previous = chunk;
        }
        else
        {
            chunk->Next = _first;
            chunk->Previous = _first->Previous;
            chunk->Previous->Next = chunk;
            _first->Previous = chunk;
        }
        _first = chunk;
    }

    private void Remove(TableChunk* chunk)
    {
        if (chunk->Next == chunk)
        {
            _first = null;
            return;
        }
        chunk->Next->Previous = chunk->Previous;
        chunk->Previous->Next = chunk->Next;
        if (_first == chunk)
        {
            _first = chunk->Next;
        }
    }
}
