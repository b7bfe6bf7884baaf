using System.Diagnostics;
using System.Runtime.CompilerServices;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// One thread that touches its share of the pages, one after the other, and measures each touch by the monotonic
/// clock. Between touches it computes for as long as it is told.
/// </summary>
internal sealed class TurnToucher
{
    /// <summary>A touch of more than this has waited for its page: an access to a page in place is shorter.</summary>
    public const long WaitedAboveNs = 1000;

    private const int StackBytes = 256 << 10;
    private readonly int _index;
    private readonly TurnMemory _memory;
    private readonly ReadOnlyMemory<uint> _share;
    private readonly long _thinkNs;
    private readonly EventFd _go;
    private readonly EventFd _leave;
    private long _touches;
    private int _threadId;
    private volatile bool _hasEnded;
    private volatile bool _isOver;

    /// <summary>A thread that waits for its start.</summary>
    /// <param name="index">Which vCPU it is.</param>
    /// <param name="memory">What it touches.</param>
    /// <param name="share">Which pages.</param>
    /// <param name="think">How long it computes between two touches.</param>
    /// <param name="go">It begins when this is signalled,</param>
    /// <param name="leave">and stays until that is, so that the kernel still knows it.</param>
    public TurnToucher(
        int index,
        TurnMemory memory,
        ReadOnlyMemory<uint> share,
        TimeSpan think,
        EventFd go,
        EventFd leave
    )
    {
        (_index, _memory, _share, _go, _leave) = (index, memory, share, go, leave);
        _thinkNs = (long)think.TotalNanoseconds;
        new Thread(Run, StackBytes) { IsBackground = true, Name = $"toucher {index}" }.Start();
    }

    /// <summary>Its thread, as the kernel numbers it; 0 before it waits for its start.</summary>
    public int ThreadId => Volatile.Read(ref _threadId);

    /// <summary>Has it touched all? Everything but <see cref="Touches"/> is to be read afterwards.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Touches so far.</summary>
    public long Touches => Volatile.Read(ref _touches);

    /// <summary>The pages that it has touched.</summary>
    public ReadOnlyMemory<uint> Touched => _share[..(int)Touches];

    /// <summary>How long its touches took.</summary>
    public LatencyHistogram Waits { get; } = new();

    /// <summary>Touches above <see cref="WaitedAboveNs"/>.</summary>
    public long Waited { get; private set; }

    /// <summary>When its first touch began.</summary>
    public long BeganAt { get; private set; }

    /// <summary>When its last touch ended.</summary>
    public long EndedAt { get; private set; }

    /// <summary>Share of its run in which it waited.</summary>
    public double Stall => EndedAt <= BeganAt ? 0 : Math.Min(1, (double)Waits.SumNs / (EndedAt - BeganAt));

    /// <summary>It ends after the touch that it makes.</summary>
    public void Stop() => _isOver = true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run()
    {
        Volatile.Write(ref _threadId, NativeTouch.ThreadId);
        // All sleep on one descriptor: its signal wakes them without a lock that they would take one after the other.
        while (!_go.Wait(-1)) { }
        var share = _share.Span;
        var after = BeganAt = Stopwatch.GetTimestamp();
        foreach (var page in share)
        {
            if (_isOver)
                break;
            var before = Stopwatch.GetTimestamp();
            _memory.Touch(_index, page);
            after = Stopwatch.GetTimestamp();
            Waits.Record(after - before);
            if (after - before > WaitedAboveNs)
                Waited++;
            Volatile.Write(ref _touches, _touches + 1);
            while (_thinkNs > 0 && Stopwatch.GetTimestamp() - after < _thinkNs) { }
        }
        EndedAt = _thinkNs > 0 ? Stopwatch.GetTimestamp() : after;
        _hasEnded = true;
        while (!_leave.Wait(-1)) { }
    }
}
