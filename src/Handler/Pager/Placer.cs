using System.Runtime.InteropServices;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Puts pages in place and keeps the books: a page's bit is cleared, with release, once its content is there. Owned by
/// the pager's thread; allocates nothing.
/// </summary>
public sealed unsafe class Placer : IDisposable
{
    private const ulong MostContinued = 64;
    private readonly Userfaultfd _uffd;
    private readonly RegionMap _map;
    private readonly VmState _state;
    private readonly PagerCounters _counters;
    private readonly GuestMemfdSide? _memfd;
    private readonly CopyCrew? _crew;
    private byte* _zeros;
    private bool _hasNoZeropage;
    private UffdModes _modes;
    private ulong _wakeFrom = ulong.MaxValue;
    private ulong _wakeTo;

    /// <summary>A placer for one VM; owns none of what it is given.</summary>
    /// <param name="uffd">The VM's userfaultfd.</param>
    /// <param name="map">Its regions.</param>
    /// <param name="state">Its bitmaps.</param>
    /// <param name="counters">Where to count.</param>
    /// <param name="memfd">The guest_memfd and its bitmap (secret-free form), or null.</param>
    /// <param name="settings">How many threads copy; null for this one alone.</param>
    public Placer(
        Userfaultfd uffd,
        RegionMap map,
        VmState state,
        PagerCounters counters,
        GuestMemfdSide? memfd = null,
        PagerSettings? settings = null
    )
    {
        ArgumentNullException.ThrowIfNull(map);
        (_uffd, _map, _state, _counters, _memfd) = (uffd, map, state, counters, memfd);
        // Huge pages are copied one a call, and the secret-free form writes a file.
        if (settings is not null && memfd is null && map.PagesPerGranule == 1)
            _crew = new CopyCrew(uffd, Math.Max(1, settings.CopyThreads) - 1, settings.SpinNs);
        _zeros = (byte*)NativeMemory.AlignedAlloc((nuint)(map.PagesPerGranule << Page.Shift), Page.Size);
        NativeMemory.Clear(_zeros, (nuint)(map.PagesPerGranule << Page.Shift));
        _hasNoZeropage = map.PagesPerGranule > 1;
    }

    /// <summary>What the last <see cref="PlaceResult.Failed"/> was.</summary>
    public LinuxErrno Error { get; private set; }

    /// <summary>
    /// From here on nobody is woken until <see cref="EndBatch"/>: each wake walks the list of all who sleep, so one for
    /// many faults costs less than many. Only for single pages, which leave nobody waiting for long.
    /// </summary>
    public void BeginBatch() => _modes = UffdModes.DontWake;

    /// <summary>Wakes whoever waits for what was put in place since; others in between fault anew.</summary>
    public void EndBatch()
    {
        if (_wakeTo > _wakeFrom)
            _ = _uffd.Wake(_wakeFrom, _wakeTo - _wakeFrom);
        (_modes, _wakeFrom, _wakeTo) = (UffdModes.None, ulong.MaxValue, 0);
    }

    /// <summary>Puts a run of missing pages in place.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many; whole granules.</param>
    /// <param name="bytes">Their content, one after another; null for zeros.</param>
    /// <param name="isDemand">Does somebody wait for one of them?</param>
    /// <param name="throughUffd">In the secret-free form: by userfaultfd (true) or into the guest_memfd.</param>
    public PlaceResult Place(MemoryPage first, ulong pages, byte* bytes, bool isDemand, bool throughUffd = true)
    {
        var most = ulong.MaxValue;
        while (pages > 0)
        {
            if (!_map.TryAtPage(first, out var region))
            {
                Leave(first, 1, ref pages, ref first, ref bytes);
                continue;
            }
            var run = Math.Min(Math.Min(pages, most), region.Pages.End.Value - first.Value);
            if (_memfd is not null)
                _state.BeginPlacing(first, run, throughUffd);
            var result =
                _memfd is not null && !throughUffd
                    ? _memfd.Write(first, run, bytes, _zeros)
                    : Resolve(region.AddressOf(first), run, bytes);
            var done = result.Done >> Page.Shift;
            if (done > 0)
            {
                MarkPlaced(first, done);
                _counters.CountPlaced(done, isDemand, bytes == null);
                Advance(done, ref pages, ref first, ref bytes);
            }
            switch (result.Error)
            {
                case LinuxErrno.None:
                    break;
                case LinuxErrno.EAGAIN when done > 0:
                    break;
                case LinuxErrno.EAGAIN:
                    _counters.CountEagain();
                    return PlaceResult.Again;
                case LinuxErrno.EEXIST:
                    SkipPresent(region, isDemand, ref pages, ref first, ref bytes);
                    break;
                case LinuxErrno.ENOENT when run > _map.PagesPerGranule:
                    // It reaches from one mapping into the next, or a part of it is not watched: page by page, or what
                    // is there would be left with what is not.
                    most = _map.PagesPerGranule;
                    break;
                case LinuxErrno.ENOENT:
                    Leave(first, run - done, ref pages, ref first, ref bytes);
                    break;
                case LinuxErrno.ESRCH:
                    return PlaceResult.Gone;
                default:
                    Error = result.Error;
                    return PlaceResult.Failed;
            }
        }
        return PlaceResult.Done;
    }

    /// <summary>
    /// Adds a run of missing pages to what <see cref="PlaceQueued"/> puts in place, cut into pieces; false, and nothing
    /// added, where it has to be placed by itself.
    /// </summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="bytes">Their content, good until they are placed.</param>
    /// <param name="waited">The page that somebody waits for: its piece comes first. It need not be one of
    /// these.</param>
    public bool TryQueue(MemoryPage first, ulong pages, byte* bytes, MemoryPage waited)
    {
        if (
            _crew is null
            || !_map.TryAtPage(first, out var region)
            || first.Value + pages > region.Pages.End.Value
            || (ulong)_crew.Room < (pages / CopyCrew.PiecePages) + 2
        )
        {
            return false;
        }
        while (pages > 0)
        {
            // Cut by memoryPage, so that the window around a fault has as few as can be.
            var piece = Math.Min(pages, CopyCrew.PiecePages - (first.Value % CopyCrew.PiecePages));
            _crew.Add(
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
        ArgumentNullException.ThrowIfNull(onPiece);
        if (_crew is null || _crew.Pieces.IsEmpty)
            return;
        _crew.CopyPieces();
        foreach (ref readonly var piece in _crew.Pieces)
        {
            var pages = new MemoryPageRange(new MemoryPage(piece.Tag), piece.Bytes >> Page.Shift);
            var done = piece.Result.Done >> Page.Shift;
            if (done > 0)
            {
                MarkPlaced(pages.Start, done);
                _counters.CountPlaced(done, isDemand: true, isZero: false);
                onPiece(new MemoryPageRange(pages.Start, done), piece.IsUrgent, true, piece.DoneNs);
            }
            if (done < pages.Count)
                onPiece(
                    new MemoryPageRange(pages.Start.Plus(done), pages.Count - done),
                    piece.IsUrgent,
                    false,
                    piece.DoneNs
                );
        }
        _crew.Clear();
    }

    /// <summary>
    /// A page that is not missing was touched: it was given back, or the touch came too late to be one.
    /// </summary>
    public PlaceResult PlaceZero(MemoryPage page, in GuestRegion region)
    {
        var wasRemoved = _state.Removed.IsSet(page.Value);
        if (_memfd is not null && !wasRemoved)
            return Continue(page, region);
        var result = Resolve(region.AddressOf(page), _map.PagesPerGranule, null);
        if (result.IsComplete || result.Error == LinuxErrno.EEXIST)
        {
            if (wasRemoved && result.IsComplete)
                _counters.CountRemovedTouched();
            _state.Removed.ClearRange(page.Value, _map.PagesPerGranule);
        }
        return Ended(result.Error, region.AddressOf(page));
    }

    /// <summary>The guest gave a range back: it reads as zeros, and its content is not wanted any more.</summary>
    public void Remove(ulong start, ulong end) => Forget(start, end, isUnmapped: false);

    /// <summary>The monitor unmapped a range: nobody can touch it.</summary>
    public void Unmap(ulong start, ulong end) => Forget(start, end, isUnmapped: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        _crew?.Dispose();
        NativeMemory.AlignedFree(_zeros);
        _zeros = null;
    }

    private static void Advance(ulong done, ref ulong pages, ref MemoryPage first, ref byte* bytes)
    {
        pages -= done;
        first = first.Plus(done);
        if (bytes != null)
            bytes += done << Page.Shift;
    }

    private UffdResult Resolve(ulong address, ulong pages, byte* bytes)
    {
        var length = pages << Page.Shift;
        if (_modes == UffdModes.DontWake)
            (_wakeFrom, _wakeTo) = (Math.Min(_wakeFrom, address), Math.Max(_wakeTo, address + length));
        if (bytes != null)
        {
            return _crew is null || pages < CopyCrew.PiecePages * 2
                ? _uffd.Copy(address, bytes, length, _modes)
                : _crew.Copy(address, bytes, length);
        }

        if (!_hasNoZeropage)
        {
            var result = _uffd.Zeropage(address, length, _modes);
            if (result.Error != LinuxErrno.EINVAL)
                return result;
            // Some kinds of memory have no zero page to map: they get a copy of one.
            _hasNoZeropage = true;
        }
        var granule = _map.PagesPerGranule << Page.Shift;
        for (ulong at = 0; at < length; at += granule)
        {
            var result = _uffd.Copy(address + at, _zeros, granule, _modes);
            if (!result.IsComplete)
                return at > 0 ? new UffdResult(at, LinuxErrno.EAGAIN) : result;
        }
        return new UffdResult(length, LinuxErrno.None);
    }

    // Secret-free: the content is in the guest_memfd, and the VMM's own mapping does not know yet.
    private PlaceResult Continue(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        // Its neighbours that are in the file too, as far as the first that is mapped already.
        var most = Math.Min(MostContinued, region.Pages.End.Value - page.Value);
        ulong run = 1;
        while (run < most && !_state.Missing.IsSet(page.Value + run))
            run++;
        var result = _uffd.Continue(address, run << Page.Shift);
        if (result.Done > 0)
            return PlaceResult.Done;
        // Into the next mapping: the page that was touched, alone.
        if (result.Error == LinuxErrno.ENOENT && run > 1)
            result = _uffd.Continue(address, Page.Size);
        // A hole in the file: a page whose content is zeros and was never written.
        if (result.Error == LinuxErrno.EFAULT)
            result = Resolve(address, 1, null);
        return Ended(result.Error, address);
    }

    private PlaceResult Ended(LinuxErrno error, ulong address)
    {
        switch (error)
        {
            case LinuxErrno.None:
                return PlaceResult.Done;
            case LinuxErrno.EEXIST:
                _counters.CountEexist();
                _ = _uffd.Wake(address, _map.PagesPerGranule << Page.Shift);
                return PlaceResult.Done;
            case LinuxErrno.ENOENT:
                return PlaceResult.Done;
            case LinuxErrno.EAGAIN:
                _counters.CountEagain();
                return PlaceResult.Again;
            case LinuxErrno.ESRCH:
                return PlaceResult.Gone;
            default:
                Error = error;
                return PlaceResult.Failed;
        }
    }

    private void SkipPresent(
        in GuestRegion region,
        bool isDemand,
        ref ulong pages,
        ref MemoryPage first,
        ref byte* bytes
    )
    {
        _counters.CountEexist();
        MarkPlaced(first, _map.PagesPerGranule);
        if (isDemand)
            _ = _uffd.Wake(region.AddressOf(first), _map.PagesPerGranule << Page.Shift);
        Advance(_map.PagesPerGranule, ref pages, ref first, ref bytes);
    }

    // Nobody can touch these: not registered, or not mapped any more.
    private void Leave(MemoryPage from, ulong count, ref ulong pages, ref MemoryPage first, ref byte* bytes)
    {
        _counters.CountUnmapped(count);
        MarkPlaced(from, count);
        Advance(count, ref pages, ref first, ref bytes);
    }

    private void MarkPlaced(MemoryPage first, ulong pages)
    {
        _counters.CountNoLongerMissing(_state.Missing.ClearRange(first.Value, pages));
        if (_memfd is null)
            return;
        _state.EndPlacing();
        _memfd.Clear(first, pages);
    }

    private void Forget(ulong start, ulong end, bool isUnmapped)
    {
        foreach (var region in _map.Regions)
        {
            var from = Math.Max(start, region.Start);
            var to = Math.Min(end, region.End);
            if (from >= to)
                continue;
            var first = region.GfnAt(from);
            var pages = (to - from) >> Page.Shift;
            // First the mark, then the bit: a standby in between sees a page to be zeroed, never one to be fetched.
            if (isUnmapped)
            {
                _counters.CountUnmapped(pages);
            }
            else
            {
                _state.Removed.SetRange(first.Value, pages);
                _counters.CountRemoved(pages);
            }
            _counters.CountNoLongerMissing(_state.Missing.ClearRange(first.Value, pages));
        }
    }
}
