using System.CommandLine;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary><c>userfault workingset info|merge</c>: looks at recorded working sets, and makes one of several.</summary>
internal static class WorkingsetCommand
{
    public static Command Create() =>
        new("workingset", "Look at recorded working sets, and merge them.") { Info(), Merge() };

    private static Argument<string[]> Files(string description) =>
        new("file")
        {
            Description = description,
            HelpName = "FILE",
            Arity = ArgumentArity.OneOrMore,
        };

    private static Command Info()
    {
        var files = Files("working sets, as --record writes them");
        var json = new Option<string>("--json")
        {
            Description = "write the report as JSON to this file; - is standard output",
        };
        var info = new Command("info", "Say what working sets hold.") { files, json };
        info.SetAction(
            (result, _) =>
                BadInput.Guard(() =>
                {
                    var names = result.GetRequiredValue(files);
                    var outputs = new Outputs(result.GetValue(json), null, null);
                    outputs.KeepFrom(names);
                    WorkingsetReport.Write([.. names.Select(Read)], outputs);
                    return Task.FromResult(ExitCodes.Success);
                })
        );
        return info;
    }

    private static Command Merge()
    {
        var files = Files("working sets of one image, the oldest first");
        var output = new Option<string>("--output", "-o")
        {
            Description = "the file to write; may be one of those that are merged",
            HelpName = "FILE",
            Required = true,
        };
        var halfLife = new Option<string>("--half-life")
        {
            Description =
                "recordings in which an older one loses half of its weight (default "
                + $"{WorkingSetMerge.DefaultHalfLife}); off: all count alike, and no page falls out",
        };
        var limit = new Option<string>("--limit")
        {
            Description = "keep at most so much: what was wanted most; a number of pages, or a size such as 64M",
            HelpName = "PAGES|SIZE",
        };
        var merge = new Command(
            "merge",
            "Make one working set of several: by how often pages were wanted, in the order in which they were wanted."
        )
        {
            files,
            output,
            halfLife,
            limit,
        };
        merge.SetAction(
            (result, _) =>
                BadInput.Guard(() =>
                {
                    var path = result.GetRequiredValue(output);
                    Outputs.Check(output.Name, path);
                    var merging = new WorkingSetMerge(HalfLifeOf(halfLife.Name, result.GetValue(halfLife)));
                    ulong? max = result.GetValue(limit) is { } text ? ReplayOptions.PagesOf(limit.Name, text) : null;
                    var merged = merging.Of([.. result.GetRequiredValue(files).Select(Read)]);
                    var kept = max is { } pages ? merged.Limit(pages) : merged;
                    WorkingSetFile.Save(path, kept);
                    WorkingsetReport.Write([(path, kept)], new Outputs(null, null, null));
                    return Task.FromResult(ExitCodes.Success);
                })
        );
        return merge;
    }

    private static double HalfLifeOf(string option, string? text) =>
        text switch
        {
            null => WorkingSetMerge.DefaultHalfLife,
            "off" => double.PositiveInfinity,
            _ => Units.Count(option, text, 1, 1_000_000),
        };

    private static (string Name, WorkingSet Set) Read(string path) => (path, WorkingSetFile.Read(path));
}
