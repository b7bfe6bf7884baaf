namespace Userfault.Mutants;

/// <summary>Which source is asked, when again, and when another.</summary>
internal static class FetchMutants
{
    private const string Core = "Actors/Fetchers/FetcherCore.cs";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("failover-drops-request", "The first request that was outstanding at a lost source is not asked again.",
            Finder.Swarm("progress", 300),
            Core, "foreach (var id in _overdue) GiveBack(_requests[id]);", """
                foreach (var id in _overdue)
                {
                    if (BUG && id == _overdue[0]) Close(_requests[id]);
                    else GiveBack(_requests[id]);
                }
                """),
        new("short-answer-accepted", "The pages that an answer lacks are not asked for again.",
            Finder.Swarm("progress", 300),
            Core, """
                else if (!request.WasBad) Forgive(_sources[request.Source]);
                GiveBack(request);
                """, """
                else if (!request.WasBad) Forgive(_sources[request.Source]);
                if (BUG) Close(request); else GiveBack(request);
                """),
        new("window-ignored", "A fetcher asks for more than its window.",
            Finder.Swarm("bounds", 300),
            Core, "_outstanding >= settings.WindowPages", "false"),
    ];
}
