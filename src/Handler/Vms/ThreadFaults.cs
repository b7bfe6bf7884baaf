using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// Faults by the monitor's thread, where its userfaultfd tells threads (<see cref="UffdFeatures.ThreadId"/>). Bounded,
/// and allocates nothing after construction: threads beyond the bound are not told apart. Written by the pager's
/// thread; others may read at any time.
/// </summary>
public sealed class ThreadFaults
{
    private const int MaxThreads = 1024;
    private readonly int[] _threads = new int[2 * MaxThreads];
    private readonly long[] _faults = new long[2 * MaxThreads];
    private int _count;

    /// <summary>Every thread that faulted, with how often.</summary>
    public IReadOnlyDictionary<int, long> Counts()
    {
        var counts = new Dictionary<int, long>();
        for (var i = 0; i < _threads.Length; i++)
        {
            if (Volatile.Read(ref _threads[i]) is var thread and > 0)
                counts[thread] = Volatile.Read(ref _faults[i]);
        }
        return counts;
    }

    /// <summary>A thread faulted; 0 where it is not told.</summary>
    internal void Count(int thread)
    {
        if (thread <= 0)
            return;
        var slot = (int)((uint)thread * 2654435761u % (2 * MaxThreads));
        while (_threads[slot] != thread)
        {
            if (_threads[slot] == 0)
            {
                if (_count == MaxThreads)
                    return;
                _count++;
                Volatile.Write(ref _threads[slot], thread);
                break;
            }
            slot = (slot + 1) % (2 * MaxThreads);
        }
        Volatile.Write(ref _faults[slot], _faults[slot] + 1);
    }
}
