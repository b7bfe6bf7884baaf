namespace Userfault.Linux;

/// <summary>
/// How long a thread looks for work before it sleeps. With few processors not at all: the one that it would keep busy
/// is wanted by the thread that it waits for. With many, measured once per process: twice what a wake-up and its answer
/// take, if two threads that look answer each other clearly faster than two that sleep, which they do only as long as
/// processors are free.
/// </summary>
public static class SpinTime
{
    /// <summary>With fewer processors nothing spins.</summary>
    public const int LeastProcessors = 4;

    private const int Rounds = 64;
    private static readonly TimeSpan Min = TimeSpan.FromMicroseconds(20);
    private static readonly TimeSpan Max = TimeSpan.FromMicroseconds(200);
    private static readonly Lazy<TimeSpan> Measured = new(static () =>
        Environment.ProcessorCount < LeastProcessors
            ? TimeSpan.Zero
            : Choose(Environment.ProcessorCount, RoundTrip(isSpinning: false), RoundTrip(isSpinning: true))
    );

    /// <summary>The choice for this machine as it was at the first call, which takes a few milliseconds.</summary>
    public static TimeSpan OfThisMachine => Measured.Value;

    /// <summary>The choice for a machine.</summary>
    /// <param name="processors">How many processors it has.</param>
    /// <param name="asleep">A round trip between two threads that sleep, the median.</param>
    /// <param name="awake">The same between two that look for each other's answer all the time.</param>
    public static TimeSpan Choose(int processors, TimeSpan asleep, TimeSpan awake)
    {
        if (processors < LeastProcessors || awake * 2 > asleep)
            return TimeSpan.Zero;
        var spin = asleep * 2;
        return spin < Min ? Min
            : spin > Max ? Max
            : spin;
    }

    private static TimeSpan RoundTrip(bool isSpinning)
    {
        var time = TimeProvider.System;
        using var there = new Doorbell();
        using var back = new Doorbell();
        var (asked, answered) = (0, 0);
        var other = new Thread(() =>
        {
            for (var i = 1; i <= Rounds; i++)
            {
                Wait(ref asked, i, there, isSpinning);
                Volatile.Write(ref answered, i);
                back.Ring();
            }
        })
        {
            IsBackground = true,
            Name = "userfault-spin-time",
        };
        other.Start();
        var took = new TimeSpan[Rounds];
        for (var i = 1; i <= Rounds; i++)
        {
            var start = time.GetTimestamp();
            Volatile.Write(ref asked, i);
            there.Ring();
            Wait(ref answered, i, back, isSpinning);
            took[i - 1] = time.GetElapsedTime(start);
        }

        other.Join();
        Array.Sort(took);
        return took[Rounds / 2];
    }

    // One that looks all the time gives way to another thread in between: on a busy machine it may have its processor.
    private static void Wait(ref int value, int wanted, Doorbell bell, bool isSpinning)
    {
        for (var looks = 1; Volatile.Read(ref value) != wanted; looks++)
        {
            if (!isSpinning)
                bell.Wait(Doorbell.Forever);
            else if (looks % 1024 == 0)
                Thread.Yield();
            else
                Thread.SpinWait(1);
        }
    }
}
