using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Pages of an image in this process: each fault is served as it is read, with the missing pages around it. Nothing is
/// allocated after construction, so that no garbage collection stands between a guest and its page.
/// </summary>
internal unsafe class ImageFeed : PageFeed
{
    private readonly (ulong First, ulong Pages)[] _placedNow = new (ulong, ulong)[VmState.MessagesAtOnce];
    private readonly Placement _placement;
    private readonly ulong _pushPages;
    private int _placedNowCount;
    private bool _isChanging;

    /// <summary>A feed from an image.</summary>
    /// <param name="delivery">Shared with the loop; not owned.</param>
    /// <param name="image">The image; shared with other pagers, not owned.</param>
    /// <param name="index">What is known of the image, or null.</param>
    protected ImageFeed(PageDelivery delivery, IMemoryImage image, ImageIndex? index)
        : base(delivery)
    {
        _placement = delivery.Placement;
        _pushPages = Math.Max(delivery.Settings.PushPages, _placement.PagesPerGranule);
        Runs = new ImageRuns(image, Math.Max(_pushPages, _placement.ChunkPages), index);
    }

    /// <inheritdoc/>
    public override int SleepMs => _isChanging ? Delivery.StallPollMs : -1;

    /// <summary>The image's pages.</summary>
    protected ImageRuns Runs { get; }

    /// <summary>The feed that suits the placement: chunks are copied together where it has threads for that.</summary>
    public static ImageFeed Of(PageDelivery delivery, IMemoryImage image, ImageIndex? index) =>
        delivery.Placement is ThreadedPlacement copying && copying.ChunkPages > 1
            ? new ChunkedImageFeed(delivery, copying, image, index)
            : new ImageFeed(delivery, image, index);

    /// <inheritdoc/>
    public override void BeginFaults(bool areMany)
    {
        _placedNowCount = 0;
        Delivery.IsBatch = areMany && _placement.TryBeginBatch();
    }

    /// <inheritdoc/>
    public override bool TryJoin(MemoryPage page)
    {
        for (var i = 0; i < _placedNowCount; i++)
        {
            if (page.Value - _placedNow[i].First < _placedNow[i].Pages)
                return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public override bool OnFault(MemoryPage page)
    {
        var window = Delivery.Claims.WindowAround(page, _placement.FaultPages);
        var result = PlaceAround(page, window, PlaceWay.Userfaultfd);
        if (result == PlaceResult.Done)
            NotePlaced(window);
        return result != PlaceResult.Again;
    }

    /// <inheritdoc/>
    public override bool OnRequest(MemoryPage page) =>
        PlaceAround(page, Delivery.Claims.WindowAround(page, _placement.ChunkPages), _placement.UsualWay)
        != PlaceResult.Again;

    /// <inheritdoc/>
    public override void EndFaults()
    {
        if (!Delivery.IsBatch)
            return;
        Delivery.IsBatch = false;
        _ = Delivery.Settle(_placement.EndBatch());
        var now = Delivery.NowNs;
        for (var i = 0; i < _placedNowCount; i++)
            Delivery.Faults.End(new MemoryPage(_placedNow[i].First), _placedNow[i].Pages, now);
    }

    /// <inheritdoc/>
    public override PlaceResult PlaceLeft(MemoryPage page, PlaceWay way) =>
        Place(new MemoryPageRange(page, 1), isDemand: false, way);

    /// <inheritdoc/>
    public override void Unpark() => _isChanging = false;

    /// <inheritdoc/>
    public override void Dispose() => Runs.Dispose();

    /// <inheritdoc/>
    protected override bool Push(PushOrder order)
    {
        ulong pages = 0;
        // Some runs between two looks at the guest's faults.
        for (var runs = 0; pages < _pushPages && runs < MaxRunsAtOnce / 4; runs++)
        {
            if (!order.TryNext(_pushPages - pages, out var range))
                return MayPush = pages > 0;
            var result = Place(range, isDemand: false, _placement.UsualWay);
            Delivery.Release(range);
            if (result == PlaceResult.Again)
            {
                order.GiveBack(range);
                _isChanging = true;
                return false;
            }
            if (!Delivery.Settle(result))
                return true;
            pages += range.Count;
        }
        return true;
    }

    /// <summary>Puts a range of missing pages in place.</summary>
    protected PlaceResult Place(MemoryPageRange range, bool isDemand, PlaceWay way)
    {
        var first = range.Start;
        var left = range.Count;
        while (left > 0)
        {
            var piece = _placement.NextPiece(Runs, first, left, out var bytes);
            var result = Delivery.Put(first, piece, bytes, isDemand, way);
            if (result != PlaceResult.Done)
                return result;
            first = first.Plus(piece);
            left -= piece;
        }
        return PlaceResult.Done;
    }

    /// <summary>These pages answer further faults on them that were read already.</summary>
    protected void NotePlaced(MemoryPageRange pages)
    {
        if (_placedNowCount < _placedNow.Length)
            _placedNow[_placedNowCount++] = (pages.Start.Value, pages.Count);
    }

    /// <summary>Further faults are looked at anew.</summary>
    protected void ForgetPlaced() => _placedNowCount = 0;

    // The page that is waited for at the front of the first call, what lies below it afterwards.
    private PlaceResult PlaceAround(MemoryPage page, MemoryPageRange window, PlaceWay way)
    {
        var result = Place(new MemoryPageRange(page, window.End.Value - page.Value), isDemand: true, way);
        if (Delivery.Settle(result) && window.Start != page)
            result = Place(new MemoryPageRange(window.Start, page.Value - window.Start.Value), isDemand: true, way);
        _ = Delivery.Settle(result);
        return result;
    }
}
