using System.Runtime.ExceptionServices;
using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>What this machine must have for a test to say anything.</summary>
internal static class Here
{
    /// <summary>Skips the test where no userfaultfd can be opened.</summary>
    public static void NeedsUserfaultfd(UffdWay way = UffdWay.Any) => Skip.If(Userfaultfd.WhyNot(way) is not null, Userfaultfd.WhyNot(way));

    /// <summary>Descriptors of this process, but for assemblies, which the runtime loads when it likes and keeps open.</summary>
    public static int Descriptors()
    {
        // What was dropped before goes now, not while it is counted.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return new DirectoryInfo("/proc/self/fd").GetFileSystemInfos().Count(fd => fd.LinkTarget?.EndsWith(".dll", StringComparison.Ordinal) != true);
    }

    /// <summary>Runs what may sleep on a page that does not come on a thread of its own: then the test fails, and does not hang.</summary>
    public static void Ends(Action body)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
#pragma warning disable CA1031 // Thrown again where the test sees it.
            try
            {
                body();
            }
            catch (Exception e)
            {
                failure = e;
            }
#pragma warning restore CA1031
        })
        {
            IsBackground = true,
        };
        thread.Start();
        Assert.True(thread.Join(Patience.OfMs(120_000)), "it waits for what does not come");
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Waits for what is certain to come, for as long as a slow machine needs.</summary>
    public static void Eventually(Func<bool> holds, Func<string> otherwise)
    {
        using var tick = new ManualResetEventSlim();
        for (var i = 0; i < 2000 && !holds(); i++) tick.Wait(5);
        Assert.True(holds(), otherwise());
    }
}
