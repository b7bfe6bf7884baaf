using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Memory of 4 KiB pages, several of which are put in place at once by several threads (<see cref="CopyThreads"/>).
/// </summary>
internal abstract unsafe class ThreadedPlacement : Placement
{
    private ulong _wakeFrom = ulong.MaxValue;
    private ulong _wakeTo;

    /// <summary>A placement for one VM; owns none of what it is given.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="counters">Where to count.</param>
    /// <param name="settings">How to work.</param>
    protected ThreadedPlacement(VmDescriptors vm, PagerCounters counters, PagerSettings settings)
        : base(vm, counters, settings) =>
        Threads = new CopyThreads(
            vm.Uffd,
            Math.Max(1, settings.CopyThreads) - 1,
            settings.SpinNs,
            VmState.MessagesAtOnce * (int)Math.Min(ChunkPages, 64),
            // Not called before the threads are started: until then this object is not whole.
            this as IPieceWriter
        );

    /// <summary>The threads.</summary>
    protected CopyThreads Threads { get; }

    /// <summary>How calls resolve faults now: in a batch they wake no thread.</summary>
    protected UffdModes Modes { get; private set; }

    /// <inheritdoc/>
    public override void Start() => Threads.Start();

    /// <summary>
    /// From here on no thread is woken until <see cref="EndBatch"/>: each wake walks the list of all sleeping threads,
    /// so one wake for many faults costs less than many wakes. Only for single pages, which take little time.
    /// </summary>
    public override bool TryBeginBatch()
    {
        Modes = UffdModes.DontWake;
        return true;
    }

    /// <summary>Wakes whoever waits for what was put in place since; others in between fault anew.</summary>
    public override PlaceResult EndBatch()
    {
        var result = _wakeTo > _wakeFrom ? Wake(_wakeFrom, _wakeTo - _wakeFrom) : PlaceResult.Done;
        (Modes, _wakeFrom, _wakeTo) = (UffdModes.None, ulong.MaxValue, 0);
        return result;
    }

    /// <summary>
    /// Adds a run of missing pages to what <see cref="PlaceQueued"/> puts in place, cut into pieces; false, and nothing
    /// added, where it has to be placed by itself.
    /// </summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="bytes">Their content, valid until they are placed.</param>
    /// <param name="waited">The page that somebody waits for: its piece comes first. It need not be one of
    /// these.</param>
    public bool TryQueue(MemoryPage first, ulong pages, byte* bytes, MemoryPage waited)
    {
        if (
            !Map.TryAtPage(first, out var region)
            || first.Value + pages > region.Pages.End.Value
            || (ulong)Threads.Room < (pages / CopyThreads.PiecePages) + 2
        )
        {
            return false;
        }
        while (pages > 0)
        {
            // Cut by page, so that the window around a fault has as few as can be.
            var piece = Math.Min(pages, CopyThreads.PiecePages - (first.Value % CopyThreads.PiecePages));
            Threads.Add(
                first.Value,
                region.AddressOf(first),
                bytes,
                piece << Page.Shift,
                isUrgent: waited.Value - first.Value < piece
            );
            Advance(piece, ref pages, ref first, ref bytes);
        }
        return true;
    }

    /// <summary>Puts what was queued in place.</summary>
    /// <param name="onPiece">
    /// Told of what is in place of each piece, and of what is not: the pages, whether somebody waits for one of the
    /// piece, whether they are in place, and when.
    /// </param>
    public void PlaceQueued(Action<MemoryPageRange, bool, bool, long> onPiece)
    {
        if (Threads.Pieces.IsEmpty)
            return;
        Threads.CopyPieces();
        foreach (ref readonly var piece in Threads.Pieces)
        {
            var pages = new MemoryPageRange(new MemoryPage(piece.Tag), piece.Bytes >> Page.Shift);
            var done = piece.Result.Done >> Page.Shift;
            if (done > 0)
            {
                MarkPiece(pages.Start, done);
                Counters.CountPlaced(done, isDemand: true, isZero: false);
                onPiece(new MemoryPageRange(pages.Start, done), piece.IsUrgent, true, piece.DoneNs);
            }
            if (done < pages.Count)
            {
                onPiece(
                    new MemoryPageRange(pages.Start.Plus(done), pages.Count - done),
                    piece.IsUrgent,
                    false,
                    piece.DoneNs
                );
            }
        }
        Threads.Clear();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Threads.Dispose();
        base.Dispose();
    }

    /// <summary>A queued piece, or its front, is in place: marks it.</summary>
    protected virtual void MarkPiece(MemoryPage first, ulong pages) => MarkPlaced(first, pages);

    /// <summary>
    /// In a batch, what is in place now is woken at its end. No more than that: a thread that is woken for nothing
    /// comes again at once.
    /// </summary>
    protected void WakeLater(ulong address, ulong bytes)
    {
        if (Modes == UffdModes.DontWake && bytes > 0)
            (_wakeFrom, _wakeTo) = (Math.Min(_wakeFrom, address), Math.Max(_wakeTo, address + bytes));
    }
}
