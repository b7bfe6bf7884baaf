namespace Userfault.Mutants;

/// <summary>Which source is asked, when again, and when another.</summary>
internal static class FetchMutants
{
    private const string Core = "Fetch/Core/FetchCore.cs";
    private const string Answers = "Fetch/Core/FetchCore.Answers.cs";
    private const string Sources = "Fetch/Core/FetchCore.Sources.cs";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("failover-drops-request", "The first request that was outstanding at a lost source is not asked again.",
            Finder.Swarm("progress", 300),
            Sources, """
                _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, source, RequestId: request.Id));
                            GiveBack(request);
                """, """
                _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, source, RequestId: request.Id));
                if (BUG && i == 0) Close(request); else GiveBack(request);
                """),
        new("short-answer-accepted", "The pages that an answer lacks are not asked for again.",
            Finder.Swarm("progress", 300),
            Answers, """
                else if (!request.WasBad) _sources.OnGoodAnswer(request.Source);
                        GiveBack(request);
                """, """
                else if (!request.WasBad) _sources.OnGoodAnswer(request.Source);
                if (BUG) Close(request); else GiveBack(request);
                """),
        new("window-ignored", "A fetcher asks for more than its window.",
            Finder.Swarm("bounds", 300),
            Core, "_outstanding >= _settings.WindowPages", "false"),
    ];
}
