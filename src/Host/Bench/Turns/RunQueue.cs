using System.Globalization;

namespace Userfault.Cli;

/// <summary>
/// How long a thread of this process has been ready to run without a processor, as the kernel counts it.
/// </summary>
internal static class RunQueue
{
    /// <summary>In ns since the thread began; null where the kernel does not tell (no CONFIG_SCHED_INFO).</summary>
    /// <param name="thread">Its id; it must not have ended.</param>
    public static long? WaitedNs(int thread)
    {
        try
        {
            // Time on a processor, time on the run queue, turns.
            var fields = File.ReadAllText($"/proc/self/task/{thread}/schedstat").Split(' ');
            return
                fields.Length == 3
                && long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var ns)
                ? ns
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
