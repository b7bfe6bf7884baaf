using System.Diagnostics;

namespace Userfault.Linux;

/// <summary>
/// Long runs of pages are copied by several threads: one alone is the limit of a VM whose guest waits for chunks, since the kernel
/// spends more than a microsecond on each page. A run is cut into pieces; the pager's thread takes pieces as its helpers do, so
/// that one who comes late costs nothing. Helpers look for work for a moment before they sleep. Nothing is allocated after
/// construction.
/// </summary>
internal sealed unsafe class CopyCrew : IDisposable
{
    /// <summary>Pages of a piece: some 20 us of work, much more than taking it costs.</summary>
    public const ulong PiecePages = 16;

    private const int MostPieces = 256;
    private const ulong PieceBytes = PiecePages << Mmu.Page.Shift;
    private readonly Userfaultfd _uffd;
    private readonly long _spinNs;
    private readonly Helper[] _helpers;
    private readonly UffdResult[] _results = new UffdResult[MostPieces];
    private ulong _to;
    private ulong _bytes;
    private byte* _from;
    // The run's number (32 bits), how many pieces it has (16), and the next that nobody has taken (16): one word, so that a piece
    // of a run that is over cannot be taken.
    private long _ticket;
    private int _done;
    private volatile bool _isOver;

    /// <summary>A crew of some helpers beside the thread that calls <see cref="Copy"/>.</summary>
    public CopyCrew(Userfaultfd uffd, int helpers, long spinNs)
    {
        (_uffd, _spinNs) = (uffd, spinNs);
        _helpers = [.. Enumerable.Range(0, helpers).Select(i => new Helper(this, i))];
    }

    /// <summary>UFFDIO_COPY of a run, all of it or as far as one thread would have come without a gap.</summary>
    public UffdResult Copy(ulong to, byte* from, ulong bytes)
    {
        if (bytes < 2 * PieceBytes || bytes > MostPieces * PieceBytes) return _uffd.Copy(to, from, bytes);
        var pieces = (int)((bytes + PieceBytes - 1) / PieceBytes);
        _to = to;
        _from = from;
        _bytes = bytes;
        _done = 0;
        Volatile.Write(ref _ticket, (((_ticket >> 32) + 1) << 32) | ((long)pieces << 16));
        foreach (var helper in _helpers) helper.Call();
        while (TryCopyPiece())
        {
        }
        var spin = default(SpinWait);
        while (Volatile.Read(ref _done) < pieces) spin.SpinOnce(sleep1Threshold: -1);
        ulong done = 0;
        for (var i = 0; i < pieces; i++)
        {
            // Pages behind a gap are there already when they are tried again.
            if (!_results[i].IsComplete) return new UffdResult(done + _results[i].Done, _results[i].Error);
            done += _results[i].Done;
        }
        return new UffdResult(done, LinuxErrno.None);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        foreach (var helper in _helpers) helper.Dispose();
    }

    private bool TryCopyPiece()
    {
        var ticket = Volatile.Read(ref _ticket);
        var piece = (int)(ticket & 0xffff);
        if (piece >= (int)((ticket >> 16) & 0xffff)) return false;
        var to = _to;
        var from = _from;
        var bytes = _bytes;
        // Whoever wins this has read what belongs to the run: it cannot end before the piece is done.
        if (Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket) != ticket) return true;
        var at = (ulong)piece * PieceBytes;
        _results[piece] = _uffd.Copy(to + at, from + at, Math.Min(PieceBytes, bytes - at));
        Interlocked.Increment(ref _done);
        return true;
    }

    private sealed class Helper : IDisposable
    {
        private readonly CopyCrew _crew;
        private readonly EventFd _wake = new();
        private readonly Thread _thread;
        private int _isParked;

        public Helper(CopyCrew crew, int index)
        {
            _crew = crew;
            _thread = new Thread(Run) { IsBackground = true, Name = $"copy {index}" };
            _thread.Start();
        }

        public void Call()
        {
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _isParked) != 0) _wake.Signal();
        }

        public void Dispose()
        {
            _wake.Signal();
            _thread.Join();
            _wake.Dispose();
        }

        private void Run()
        {
            _ = Scheduling.TakeShortTurns();
            var idleSince = 0L;
            while (!_crew._isOver)
            {
                if (_crew.TryCopyPiece())
                {
                    idleSince = 0;
                    continue;
                }
                var now = Stopwatch.GetTimestamp();
                if (idleSince == 0) idleSince = now;
                if (now - idleSince < _crew._spinNs) Thread.SpinWait(8);
                else Park();
            }
        }

        private void Park()
        {
            Volatile.Write(ref _isParked, 1);
            Interlocked.MemoryBarrier();
            // What was called for before the flag was seen is looked for once more.
            if (!_crew._isOver && !_crew.TryCopyPiece())
            {
                var poll = new PollFd(_wake.Fd.Number, Libc.POLLIN);
                _ = Libc.Poll(&poll, 1, -1);
                _ = _wake.Reset();
            }
            Volatile.Write(ref _isParked, 0);
        }
    }
}
