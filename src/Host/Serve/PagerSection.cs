using Userfault.Handler;

namespace Userfault.Cli;

/// <summary>The section userfault.serve: how a handler's threads put pages in place.</summary>
internal static class PagerSection
{
    /// <summary>Reads it, and how pages are asked for.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public static PagerSettings Of(Settings settings)
    {
        // What is right depends on the machine, and the pager knows that.
        var auto = new PagerSettings();
        var (spinName, spin) = settings.Get("serve.spin");
        var (threadsName, threads) = settings.Get("serve.copy-threads");
        return auto with
        {
            PushPages = (ulong)settings.Count("serve.push-pages", 1, 4096),
            SpinNs = spin == "auto" ? auto.SpinNs : Units.DurationNs(spinName, spin),
            CopyThreads = threads == "auto" ? auto.CopyThreads : Units.Count(threadsName, threads, 1, 8),
            Fetch = FetcherSection.Of(settings),
        };
    }
}
