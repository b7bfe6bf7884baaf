using Userfault.Fetch;

namespace Userfault.Cli;

/// <summary>The section userfault.fetcher: how pages are asked for, by actors, nodes and handlers alike.</summary>
internal static class FetcherSection
{
    /// <summary>Reads it.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public static FetchSettings Of(Settings settings) =>
        new()
        {
            RequestPages = settings.Count("fetcher.request-pages", 1, 4096),
            WindowPages = settings.Count("fetcher.window", 1, 1 << 20),
            BackgroundWindowPages = settings.Count("fetcher.background-window", 1, 1 << 20),
            DemandDelayNs = settings.DurationNs("fetcher.demand-delay"),
            TimeoutNs = settings.DurationNs("fetcher.timeout", off: 0),
            TickNs = settings.DurationNs("fetcher.tick"),
            Hedge = settings.Switch("fetcher.hedge"),
            HedgeFloorNs = settings.DurationNs("fetcher.hedge-floor"),
            HedgePercent = settings.Count("fetcher.hedge-percent", 0, 100),
            MaxBadAnswers = settings.Count("fetcher.bad-answers", 1, int.MaxValue),
            ForgiveAnswers = settings.Count("fetcher.forgive-answers", 1, int.MaxValue),
        };
}
