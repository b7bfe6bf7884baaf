namespace Userfault.Mutants;

/// <summary>Which source is asked, when again, and when another.</summary>
internal static class FetchMutants
{
    private const string Core = "Actors/Fetchers/FetcherCore.cs";
    private const string Requests = "Actors/Fetchers/FetcherCore.Requests.cs";
    private const string Slow = "Actors/Fetchers/FetcherCore.Slow.cs";
    private const string Sources = "Actors/Fetchers/FetcherCore.Sources.cs";

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
        new("window-leaks", "Pages whose request has ended go on filling the fetcher's window.",
            Finder.Swarm("progress", 20),
            Requests, "_outstanding -= request.Pages;", ""),
        new("hedged-again", "A request that was hedged is hedged again at the next look.",
            Finder.Swarm("fetch-once", 60),
            Slow, "slow.WasHedged = true;", ""),
        new("overdue-kept", "An overdue request is asked again elsewhere, and not cancelled at its source.",
            Finder.Swarm("fetch-once", 150),
            Slow, "cancel.Add((request.Source, id));", ""),
        new("second-requester-forgotten", "Of two that want a page the second one is not told when it comes.",
            Finder.Swarm("progress", 100),
            Core, "if (state.Requester != requester) AlsoWanted(gfn, requester);", ""),
        new("lost-source-asked", "A source that is gone is asked as long as it has the fewest pages outstanding.",
            Finder.Swarm("progress", 150),
            Sources, "if (i == except || !_sources[i].IsUp) continue;", "if (i == except) continue;"),
    ];
}
