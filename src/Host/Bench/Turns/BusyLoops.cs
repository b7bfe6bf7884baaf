namespace Userfault.Cli;

/// <summary>
/// Threads of the ordinary class that compute until they are stopped: a load beside what is measured.
/// </summary>
internal sealed class BusyLoops : IDisposable
{
    private readonly Thread[] _threads;
    private volatile bool _isOver;
    private long _sum;

    /// <summary>Starts them.</summary>
    public BusyLoops(int count)
    {
        _threads = [.. Enumerable.Range(0, count).Select(i => new Thread(Compute) { IsBackground = true })];
        foreach (var thread in _threads)
            thread.Start();
    }

    /// <summary>Stops them.</summary>
    public void Dispose()
    {
        _isOver = true;
        foreach (var thread in _threads)
            thread.Join();
    }

    private void Compute()
    {
        ulong state = 1;
        while (!_isOver)
        {
            for (var i = 0; i < 1000; i++)
                state = (state * 6364136223846793005) + 1442695040888963407;
        }
        // Used, so that no compiler leaves the loop out.
        Interlocked.Add(ref _sum, (long)state);
    }
}
