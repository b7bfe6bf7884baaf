namespace Userfault.Cli;

/// <summary>
/// Collects garbage every millisecond, to show that no collection waits for a guest's page and no page for a
/// collection.
/// </summary>
internal static class GcStress
{
    private static long Collected;

    /// <summary>Collections so far.</summary>
    public static long Collections => Volatile.Read(ref Collected);

    /// <summary>Begins, until the process ends.</summary>
    public static void Start()
    {
        var never = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            while (!never.Wait(1))
            {
                GC.Collect(2, GCCollectionMode.Forced, blocking: true);
                Interlocked.Increment(ref Collected);
            }
        })
        {
            IsBackground = true,
            Name = "gc stress",
        };
        thread.Start();
    }
}
