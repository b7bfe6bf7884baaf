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

    /// <summary>Waits for what is certain to come, for as long as a slow machine needs.</summary>
    public static void Eventually(Func<bool> holds, Func<string> otherwise)
    {
        using var tick = new ManualResetEventSlim();
        for (var i = 0; i < 2000 && !holds(); i++) tick.Wait(5);
        Assert.True(holds(), otherwise());
    }
}
