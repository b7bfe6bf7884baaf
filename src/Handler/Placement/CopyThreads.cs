using System.Diagnostics;
using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// Copies pages by several threads. The kernel spends more than a microsecond on each page, so one thread alone limits
/// a VM whose guest waits for chunks. The work is cut into pieces; the pager's thread takes pieces as its helpers do,
/// so that a helper that wakes late costs nothing. Pieces that a thread of the guest waits for are taken first. Helpers
/// spin for a moment before they sleep. Nothing is allocated after <see cref="Start"/>.
/// </summary>
internal sealed unsafe class CopyThreads : IDisposable
{
    /// <summary>Pages of a piece: some 20 us of work, much more than taking it costs.</summary>
    public const ulong PiecePages = 16;

    private const int MaxPieces = 4096;
    private const ulong PieceBytes = PiecePages << Mmu.Page.Shift;
    private readonly IUserfaultfd _uffd;
    private readonly IPieceWriter? _writer;
    private readonly long _spinNs;
    private readonly Helper[] _helpers;
    private readonly Piece[] _pieces;
    private int _count;
    private int _urgent;

    // Which time it is that pieces are copied (32 bits), how many they are (16), and the next that nobody has taken
    // (16): one word, so that none of a time that is over can be taken.
    private long _ticket;
    private int _done;
    private volatile bool _isOver;

    /// <summary>
    /// Some helper threads beside the thread that calls <see cref="CopyPieces"/>; none before <see cref="Start"/>.
    /// </summary>
    /// <param name="uffd">Of the VM; not owned.</param>
    /// <param name="helpers">How many beside the caller's.</param>
    /// <param name="spinNs">How long one looks for work before it sleeps.</param>
    /// <param name="maxPieces">Pieces that can be added before they are copied.</param>
    /// <param name="writer">How pieces go in place; null for UFFDIO_COPY.</param>
    public CopyThreads(
        IUserfaultfd uffd,
        int helpers,
        long spinNs,
        int maxPieces = MaxPieces,
        IPieceWriter? writer = null
    )
    {
        _writer = writer;
        _pieces = new Piece[Math.Min(maxPieces, MaxPieces)];
        (_uffd, _spinNs) = (uffd, spinNs);
        _helpers = [.. Enumerable.Range(0, helpers).Select(i => new Helper(this, i))];
    }

    /// <summary>Starts the helpers, once. Before, the caller of <see cref="CopyPieces"/> copies alone.</summary>
    public void Start()
    {
        foreach (var helper in _helpers)
            helper.Start();
    }

    /// <summary>
    /// The pieces that were added since <see cref="Clear"/>; results stand in them after <see cref="CopyPieces"/>.
    /// </summary>
    public ReadOnlySpan<Piece> Pieces => _pieces.AsSpan(0, _count);

    /// <summary>How many more can be added.</summary>
    public int Room => _pieces.Length - _count;

    /// <summary>Adds a piece to what is copied next; there must be room.</summary>
    /// <param name="tag">What the caller knows it by.</param>
    /// <param name="to">Where to, in the guest.</param>
    /// <param name="from">Where from.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="isUrgent">Does somebody wait for it?</param>
    public void Add(ulong tag, ulong to, byte* from, ulong bytes, bool isUrgent)
    {
        var piece = new Piece
        {
            Tag = tag,
            To = to,
            From = from,
            Bytes = bytes,
            IsUrgent = isUrgent,
        };
        if (isUrgent)
        {
            _pieces[_count++] = _pieces[_urgent];
            _pieces[_urgent++] = piece;
        }
        else
        {
            _pieces[_count++] = piece;
        }
    }

    /// <summary>Puts every piece in place; returns when all are done.</summary>
    public void CopyPieces()
    {
        _done = 0;
        Volatile.Write(ref _ticket, (((_ticket >> 32) + 1) << 32) | ((long)_count << 16));
        if (_count > 1)
        {
            foreach (var helper in _helpers)
                helper.Call();
        }
        while (TryCopyPiece()) { }
        var spin = default(SpinWait);
        while (Volatile.Read(ref _done) < _count)
            spin.SpinOnce(sleep1Threshold: -1);
    }

    /// <summary>Forgets the pieces.</summary>
    public void Clear() => _count = _urgent = 0;

    /// <summary>UFFDIO_COPY of a run, all of it or as far as one thread would have come without a gap.</summary>
    public UffdResult Copy(ulong to, byte* from, ulong bytes)
    {
        if (_helpers.Length == 0 || bytes < 2 * PieceBytes || bytes > (ulong)Room * PieceBytes || _count > 0)
            return _uffd.Copy(to, from, bytes);
        for (ulong at = 0; at < bytes; at += PieceBytes)
            Add(at, to + at, from + at, Math.Min(PieceBytes, bytes - at), isUrgent: false);
        CopyPieces();
        ulong done = 0;
        var error = LinuxErrno.None;
        foreach (ref readonly var piece in Pieces)
        {
            done += piece.Result.Done;
            error = piece.Result.Error;
            // Pages behind a gap are there already when they are tried again.
            if (!piece.Result.IsComplete)
                break;
        }
        Clear();
        return new UffdResult(done, error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        foreach (var helper in _helpers)
            helper.Dispose();
    }

    private bool TryCopyPiece()
    {
        var ticket = Volatile.Read(ref _ticket);
        var index = (int)(ticket & 0xffff);
        if (index >= (int)((ticket >> 16) & 0xffff))
            return false;
        if (Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket) != ticket)
            return true;
        // Whoever took it holds all of them in place until it is done.
        ref var piece = ref _pieces[index];
        piece.Result = _writer is null
            ? _uffd.Copy(piece.To, piece.From, piece.Bytes)
            : _writer.Write(piece.Tag, piece.To, piece.From, piece.Bytes);
        piece.DoneNs = Stopwatch.GetTimestamp();
        Interlocked.Increment(ref _done);
        return true;
    }

    /// <summary>A stretch that one thread copies by one call.</summary>
    internal struct Piece
    {
        /// <summary>What the caller knows it by.</summary>
        public ulong Tag;

        /// <summary>Where to, in the guest.</summary>
        public ulong To;

        /// <summary>Where from.</summary>
        public byte* From;

        /// <summary>How much.</summary>
        public ulong Bytes;

        /// <summary>Does somebody wait for it?</summary>
        public bool IsUrgent;

        /// <summary>What came of it.</summary>
        public UffdResult Result;

        /// <summary>When, in ns of <see cref="Stopwatch"/>.</summary>
        public long DoneNs;
    }

    private sealed class Helper : IDisposable
    {
        private readonly CopyThreads _owner;
        private readonly EventFd _wake = new();
        private readonly Thread _thread;
        private int _isParked;

        public Helper(CopyThreads owner, int index)
        {
            _owner = owner;
            _thread = new Thread(Run) { IsBackground = true, Name = $"copy {index}" };
        }

        public void Start() => _thread.Start();

        public void Call()
        {
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _isParked) != 0)
                _wake.Signal();
        }

        public void Dispose()
        {
            _wake.Signal();
            if ((_thread.ThreadState & System.Threading.ThreadState.Unstarted) == 0)
                _thread.Join();
            _wake.Dispose();
        }

        private void Run()
        {
            _ = Scheduling.TakeShortTurns();
            var idleSince = 0L;
            while (!_owner._isOver)
            {
                if (_owner.TryCopyPiece())
                {
                    idleSince = 0;
                    continue;
                }
                var now = Stopwatch.GetTimestamp();
                if (idleSince == 0)
                    idleSince = now;
                if (now - idleSince < _owner._spinNs)
                    Thread.SpinWait(8);
                else
                    Park();
            }
        }

        private void Park()
        {
            Volatile.Write(ref _isParked, 1);
            Interlocked.MemoryBarrier();
            // What was called for before the flag was seen is looked for once more.
            if (!_owner._isOver && !_owner.TryCopyPiece())
            {
                var poll = new PollFd(_wake.Fd.Number, Libc.POLLIN);
                _ = Libc.Poll(&poll, 1, -1);
                _ = _wake.Reset();
            }
            Volatile.Write(ref _isParked, 0);
        }
    }
}
