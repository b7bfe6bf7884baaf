using Userfault.Pages;

namespace Userfault.Handler;

// The chunks around all faults that were read together, copied together: those who wait have their pages before any
// neighbour is copied, and threads that copy meet at the end once. Nothing is read from the userfaultfd meanwhile, so
// that no page is copied to where the guest has just given one back.
public sealed unsafe partial class VmPager
{
    private readonly ulong[] _chunkFaults = new ulong[VmState.MessagesAtOnce];
    private readonly Action<MemoryPageRange, bool, bool, long> _onPiece;
    private readonly bool _servesChunks;
    private int _chunkFaultCount;
    private bool _isChunkLeft;

    // What cannot be placed now, since the address space is changing, is looked at when the chunks have been placed.
    private void QueueChunk(MemoryPage page)
    {
        NoteChunkFault(page);
        var window = _claims.WindowAround(page, _settings.ChunkPages);
        if (_placedNowCount < _placedNow.Length)
            _placedNow[_placedNowCount++] = (window.Start.Value, window.Count);
        for (var first = window.Start; first.Value < window.End.Value; )
        {
            var run = _runs!.Next(first, window.End.Value - first.Value, out var bytes);
            if (bytes == null || _runs.IsPassing(bytes) || !_placer.TryQueue(first, run, bytes, waited: page))
            {
                var result = Put(first, run, bytes, isDemand: true, throughUffd: true);
                if (!Settle(result))
                    return;
            }
            first = first.Plus(run);
        }
    }

    private void NoteChunkFault(MemoryPage page)
    {
        if (_chunkFaultCount == _chunkFaults.Length)
            PlaceChunks();
        _chunkFaults[_chunkFaultCount++] = page.Value;
    }

    private void PlaceChunks()
    {
        if (_chunkFaultCount == 0)
            return;
        _isChunkLeft = false;
        _placer.PlaceQueued(_onPiece);
        for (var i = 0; i < _chunkFaultCount; i++)
        {
            // Of some piece that had to wait, be it its own chunk's or that of a fault that was read with it.
            var page = new MemoryPage(_chunkFaults[i]);
            if (_vm.State.Missing.IsSet(page.Value) && _vm.Map.TryAtPage(page, out var region))
                Defer(region.AddressOf(page));
        }
        _chunkFaultCount = 0;
    }

    private void OnPiece(MemoryPageRange pages, bool isWaitedFor, bool isPlaced, long doneNs)
    {
        if (!isPlaced)
        {
            // Page by page, as far as it goes: one is there already, or the address space is changing.
            if (_isChunkLeft || _end != PagerEnd.None)
                return;
            var result = PlaceFromImage(pages, isDemand: true, throughUffd: true);
            _isChunkLeft = !Settle(result) && result == PlaceResult.Again;
            return;
        }
        if (isWaitedFor)
            _waits.End(pages.Start, pages.Count, doneNs);
        for (ulong i = 0; i < pages.Count && _recorder is not null; i++)
            _recorder.Touch(pages.Start.Plus(i));
    }
}
