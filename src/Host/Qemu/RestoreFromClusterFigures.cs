using Userfault.Fetch;

namespace Userfault.Cli;

/// <summary>What the sources of a cluster did for all guests of a restore. In pages unless stated otherwise.</summary>
/// <param name="Sources">The sources that were connected at any time.</param>
/// <param name="Fetches">What the fetch engines did.</param>
/// <param name="WrongPages">Pages whose content was not that of their digest; fetched again.</param>
internal sealed record RestoreFromClusterFigures(IReadOnlyList<string> Sources, FetchCounters Fetches, long WrongPages)
{
    /// <summary>As JSON has it.</summary>
    public object Json =>
        new
        {
            Sources,
            Fetches.Requests,
            FetchedPages = Fetches.Delivered,
            HedgedPages = Fetches.Hedged,
            RetriedPages = Fetches.Retried,
            LatePages = Fetches.Late,
            WrongPages,
        };

    /// <summary>As tables have it.</summary>
    public IEnumerable<(string What, string Figure)> Rows
    {
        get
        {
            yield return ("sources", $"{Sources.Count}: {string.Join(", ", Sources)}");
            yield return (
                "pages fetched",
                $"{Fetches.Delivered} in {Fetches.Requests} requests; {Fetches.Hedged} hedged, "
                    + $"{Fetches.Retried} asked again, {WrongPages} wrong"
            );
        }
    }
}
