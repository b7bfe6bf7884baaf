using System.CommandLine;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The options about working sets that several commands have, and what they make of them.</summary>
internal sealed class ReplayOptions
{
    /// <summary>A limit in pages or bytes, for messages.</summary>
    public const string LimitWanted = "a number of pages, or a size in whole pages such as 64M";

    public Option<string> Replay { get; } =
        new("--replay") { Description = "push a recorded working set first", HelpName = "FILE" };

    public Option<string> Limit { get; } =
        new("--replay-limit")
        {
            Description =
                "replay at most so much of it: what was wanted most, of that what was wanted first; a number of pages, "
                + "or a size such as 64M",
            HelpName = "PAGES|SIZE",
        };

    public Option<bool> Shared { get; } =
        new("--replay-shared")
        {
            Description = "replay the working set that nodes of --cluster have (node --working-set); without one, none",
        };

    public Option<bool> RecordMerge { get; } =
        new("--record-merge")
        {
            Description = "merge with the working set that the file of --record holds, instead of replacing it",
        };

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [Replay, Limit, Shared, RecordMerge];

    /// <summary>Refuses what does not go together.</summary>
    /// <param name="result">What was given.</param>
    /// <param name="record">The file of <c>--record</c>; null for none.</param>
    /// <param name="hasCluster">Do pages come from nodes?</param>
    /// <exception cref="CliException">Something does not.</exception>
    public void Check(ParseResult result, string? record, bool hasCluster)
    {
        var (replays, shares) = (result.GetValue(Replay) is not null, result.GetValue(Shared));
        if (replays && shares)
            throw new CliException($"{Replay.Name} and {Shared.Name}: give one of them");
        if (shares && !hasCluster)
            throw new CliException($"{Shared.Name}: belongs to --cluster; name the file with {Replay.Name}");
        if (MaxPages(result) is not null && !replays && !shares)
            throw new CliException($"{Limit.Name}: belongs to {Replay.Name} or {Shared.Name}");
        if (!result.GetValue(RecordMerge))
            return;
        if (record is null)
            throw new CliException($"{RecordMerge.Name}: belongs to --record");
        // Its record would age what the replay has brought, since nobody waited for it.
        if (replays || shares)
        {
            throw new CliException(
                $"{RecordMerge.Name}: not with {Replay.Name} or {Shared.Name}, because pages that a replay brings in "
                    + "time are missing in the record; record a run without them"
            );
        }
    }

    /// <summary>The working set of a file, bounded; null where none was named.</summary>
    /// <param name="result">What was given.</param>
    /// <param name="image">The image.</param>
    /// <param name="pages">Its pages.</param>
    /// <param name="name">Its name.</param>
    /// <exception cref="CliException">A bad limit.</exception>
    /// <exception cref="PagingException">No working set of this image.</exception>
    public WorkingSet? Load(ParseResult result, ImageIdentity image, ulong pages, string name) =>
        result.GetValue(Replay) is { } path ? Bound(result, WorkingSetFile.Load(path, image, pages, name)) : null;

    /// <summary>As much of a set as is to be replayed.</summary>
    /// <exception cref="CliException">A bad limit.</exception>
    public WorkingSet Bound(ParseResult result, WorkingSet set) => MaxPages(result) is { } max ? set.Limit(max) : set;

    /// <summary>Looks whether the file of <c>--record</c> can be merged with, before the run.</summary>
    /// <exception cref="PagingException">It is there and is no working set of this image.</exception>
    public void CheckMerge(ParseResult result, string? record, ImageIdentity image, ulong pages, string name)
    {
        if (result.GetValue(RecordMerge) && record is not null && File.Exists(record))
            _ = WorkingSetFile.Load(record, image, pages, name);
    }

    /// <summary>A limit as people write it: a number of pages, or a size.</summary>
    /// <exception cref="CliException">It is none.</exception>
    public static ulong PagesOf(string option, string text)
    {
        if (!text.All(char.IsAsciiDigit))
            return Units.Pages(option, text);
        return ulong.TryParse(text, out var pages) && pages > 0 ? pages : throw Units.Bad(option, text, LimitWanted);
    }

    private ulong? MaxPages(ParseResult result) =>
        result.GetValue(Limit) is { } text ? PagesOf(Limit.Name, text) : null;
}
