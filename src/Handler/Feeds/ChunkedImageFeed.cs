using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// The chunks around all faults that were read together are copied together: the pages that are waited for are there
/// before any neighbour is copied, and the copying threads meet once, at the end. Nothing is read from the userfaultfd
/// meanwhile, so that no page is copied to where the guest has just given one back.
/// </summary>
internal sealed unsafe class ChunkedImageFeed : ImageFeed
{
    private readonly ulong[] _faults = new ulong[VmState.MessagesAtOnce];
    private readonly Action<MemoryPageRange, bool, bool, long> _onPiece;
    private readonly ThreadedPlacement _placement;
    private int _faultCount;
    private bool _isChunkLeft;

    /// <summary>A feed from an image.</summary>
    /// <param name="delivery">Shared with the loop; not owned.</param>
    /// <param name="placement">Its placement.</param>
    /// <param name="image">The image; shared with other pagers, not owned.</param>
    /// <param name="index">What is known of the image, or null.</param>
    public ChunkedImageFeed(PageDelivery delivery, ThreadedPlacement placement, IMemoryImage image, ImageIndex? index)
        : base(delivery, image, index) => (_placement, _onPiece) = (placement, OnPiece);

    /// <inheritdoc/>
    public override void BeginFaults(bool areMany) => base.BeginFaults(areMany: false);

    /// <inheritdoc/>
    public override bool TryJoin(MemoryPage page)
    {
        if (!base.TryJoin(page))
            return false;
        // Its piece may have to wait, and with it this fault.
        NoteFault(page);
        return true;
    }

    // What cannot be placed now, since the address space is changing, is looked at when the chunks have been placed.
    /// <inheritdoc/>
    public override bool OnFault(MemoryPage page)
    {
        NoteFault(page);
        var window = Delivery.Claims.WindowAround(page, _placement.ChunkPages);
        NotePlaced(window);
        for (var first = window.Start; first.Value < window.End.Value; )
        {
            var run = Runs.Next(first, window.End.Value - first.Value, out var bytes);
            if (bytes == null || Runs.IsPassing(bytes) || !_placement.TryQueue(first, run, bytes, waited: page))
            {
                var result = Delivery.Put(first, run, bytes, isDemand: true, PlaceWay.Userfaultfd);
                if (!Delivery.Settle(result))
                    break;
            }
            first = first.Plus(run);
        }
        return true;
    }

    /// <inheritdoc/>
    public override void EndFaults()
    {
        if (_faultCount == 0)
            return;
        _isChunkLeft = false;
        _placement.PlaceQueued(_onPiece);
        for (var i = 0; i < _faultCount; i++)
        {
            // Of some piece that had to wait, be it its own chunk's or that of a fault that was read with it.
            var page = new MemoryPage(_faults[i]);
            if (
                Delivery.Missing.IsSet(page.Value)
                && !_placement.Left.Has(page)
                && Delivery.Map.TryAtPage(page, out var region)
            )
            {
                Delivery.Deferred.Add(new FaultKey(region.AddressOf(page)), Delivery.NowNs);
            }
        }
        _faultCount = 0;
    }

    private void NoteFault(MemoryPage page)
    {
        if (_faultCount == _faults.Length)
        {
            EndFaults();
            // There is room for as many chunks as for faults, so that no chunk is queued a second time.
            ForgetPlaced();
        }
        _faults[_faultCount++] = page.Value;
    }

    private void OnPiece(MemoryPageRange pages, bool isWaitedFor, bool isPlaced, long doneNs)
    {
        if (!isPlaced)
        {
            // Page by page, as far as it goes: one is there already, or the address space is changing.
            if (_isChunkLeft || Delivery.End != PagerEnd.None)
                return;
            var result = Place(pages, isDemand: true, PlaceWay.Userfaultfd);
            _isChunkLeft = !Delivery.Settle(result) && result == PlaceResult.Again;
            return;
        }
        if (isWaitedFor)
            Delivery.Faults.End(pages.Start, pages.Count, doneNs);
        Delivery.Record(pages.Start, pages.Count);
    }
}
