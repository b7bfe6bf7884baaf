namespace Userfault.Handler;

/// <summary>
/// Lines on their way to an output that may be full, closed, or read by nobody. Any thread adds a line, and neither
/// waits nor fails: a VM's thread has guests to serve. One background thread writes. Lines that could not be written,
/// or for which there was no room in the queue, are counted, and the number is written as soon as the output takes
/// lines again.
/// </summary>
public sealed class LineLog : IDisposable
{
    private static readonly TimeSpan SayAgain = TimeSpan.FromSeconds(1);

    /// <summary>How long <see cref="Dispose"/> waits for the lines that are left.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(2);

    private readonly Action<string> _write;
    private readonly int _maxLines;
    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = [];
    private readonly SemaphoreSlim _news = new(0);
    private readonly Thread? _thread;
    private long _lost;
    private long _lostTold;
    private bool _isOver;

    /// <summary>A log that has written nothing yet.</summary>
    /// <param name="write">Writes one line, on the log's own thread; may throw and may block.</param>
    /// <param name="maxLines">Lines that wait at most; those beyond are lost.</param>
    public LineLog(Action<string> write, int maxLines = 4096)
        : this()
    {
        (_write, _maxLines) = (write, maxLines);
        // Now: where descriptors have run out no thread can be started, and that is to be written as well.
        _thread = new Thread(Run) { IsBackground = true, Name = "log" };
        _thread.Start();
    }

    private LineLog() => _write = static _ => { };

    /// <summary>Takes lines and forgets them.</summary>
    public static LineLog None { get; } = new();

    /// <summary>Lines that were not written.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Adds a line. On any thread; never throws, never waits for the output.</summary>
    public void Write(string line)
    {
        lock (_lock)
        {
            if (_isOver || _lines.Count >= _maxLines)
            {
                _ = Interlocked.Increment(ref _lost);
                return;
            }

            _lines.Enqueue(line);
        }

        _news.Release();
    }

    /// <summary>Waits a moment for the lines that are left; an output that takes none is not waited for.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isOver)
                return;
            _isOver = true;
        }

        _news.Release();
        _ = _thread?.Join(LastPatience);
    }

    private void Run()
    {
        while (true)
        {
            string? line;
            bool isOver;
            lock (_lock)
            {
                _ = _lines.TryDequeue(out line);
                isOver = _isOver;
            }

            if (line is not null)
            {
                if (!TryWrite(line))
                    _ = Interlocked.Increment(ref _lost);
                continue;
            }

            TellLost();
            if (isOver)
                return;
            _ = _news.Wait(Lost == _lostTold ? Timeout.InfiniteTimeSpan : SayAgain);
        }
    }

    private void TellLost()
    {
        var lost = Lost;
        if (lost != _lostTold && TryWrite($"{HandlerEvent.LinesLost}: {lost - _lostTold} lines could not be written"))
            _lostTold = lost;
    }

    private bool TryWrite(string line)
    {
        try
        {
            _write(line);
            return true;
        }
        catch (Exception)
        {
            // Counted by the caller; there is nothing left to write it to.
            return false;
        }
    }
}
