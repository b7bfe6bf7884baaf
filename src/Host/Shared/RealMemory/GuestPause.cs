namespace Userfault.Cli;

/// <summary>
/// Where the touchers of a guest wait, each at the same share of its accesses, until a line on standard input lets them
/// go on: so that something is done to the handler at a moment that no clock decides.
/// </summary>
/// <param name="share">Of each toucher's accesses.</param>
/// <param name="touchers">How many there are.</param>
internal sealed class GuestPause(double share, int touchers)
{
    private readonly TaskCompletionSource _go = new();
    private int _toCome = touchers;

    /// <summary>Do all of them wait?</summary>
    public bool IsHeld => Volatile.Read(ref _toCome) == 0 && !_go.Task.IsCompleted;

    /// <summary>A toucher is about to make an access: waits where that is the one to wait before.</summary>
    /// <param name="access">Its number, from 0.</param>
    /// <param name="count">Its accesses in all.</param>
    public void Pass(long access, long count)
    {
        if (access != (long)(share * count))
            return;
        if (Interlocked.Decrement(ref _toCome) == 0)
        {
            Console.Out.WriteLine("paused; a line on standard input resumes it");
            new Thread(Read) { IsBackground = true, Name = "pause" }.Start();
        }
        _go.Task.Wait();
    }

    private void Read()
    {
        _ = Console.In.ReadLine();
        _go.SetResult();
    }
}
