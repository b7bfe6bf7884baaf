namespace Userfault.Cli;

/// <summary>
/// Lines about peers that were refused, at most one per second: strangers decide how often they connect, and must not decide
/// how fast a log grows.
/// </summary>
/// <param name="write">Takes a line. Called on the threads of connections, one at a time.</param>
/// <param name="time">The clock.</param>
internal sealed class RefusalLog(Action<string> write, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private long? _lastWritten;
    private long _unsaid;

    /// <summary>Says that a peer was refused, or counts it.</summary>
    /// <param name="line">Which, and why.</param>
    public void Say(string line)
    {
        lock (_lock)
        {
            if (_lastWritten is { } last && time.GetElapsedTime(last) < Interval)
            {
                _unsaid++;
                return;
            }

            _lastWritten = time.GetTimestamp();
            write(_unsaid == 0 ? line : $"{line} (and {_unsaid} more refused)");
            _unsaid = 0;
        }
    }
}
