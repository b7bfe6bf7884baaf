using System.Text;
using Userfault.Actors;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The files that a run writes; their folders are checked before it starts.</summary>
internal sealed class Outputs
{
    private readonly string? _json;
    private readonly string? _html;
    private readonly string? _record;
    private readonly string? _csv;

    public Outputs(string? json, string? html, string? record, string? csv = null)
    {
        (_json, _html, _record, _csv) = (json, html, record, csv);
        if (!JsonIsStandardOutput)
            Check("--json", json);
        Check("--html", html);
        Check("--record", record);
        Check("--csv", csv);
        CheckApart();
    }

    private (string Option, string? Path)[] Files =>
        [("--json", JsonIsStandardOutput ? null : _json), ("--html", _html), ("--record", _record), ("--csv", _csv)];

    /// <summary>What the options name.</summary>
    /// <exception cref="CliException">A folder is not there, or an output is a file that is read.</exception>
    public static Outputs Of(MigrateArguments arguments)
    {
        var options = arguments.Options;
        var outputs = new Outputs(arguments.Of(options.Json), arguments.Of(options.Html), arguments.Of(options.Record))
        {
            MergesRecord = arguments.Of(options.WorkingSets.RecordMerge),
        };
        outputs.KeepFrom(
            arguments.Of(options.Image),
            arguments.Of(options.Trace),
            arguments.Of(options.WorkingSets.Replay)
        );
        return outputs;
    }

    public bool JsonIsStandardOutput => _json == "-";

    /// <summary>Is a working set that the file of <c>--record</c> holds merged with, and not replaced?</summary>
    public bool MergesRecord { get; init; }

    /// <summary>What a run reads must not be what it writes.</summary>
    /// <param name="inputs">Files that are read; null for none.</param>
    /// <exception cref="CliException">An output is one of them, by whatever name.</exception>
    public void KeepFrom(params string?[] inputs)
    {
        foreach (var (option, path) in Files)
        {
            if (path is null || FileStamp.TryOf(path) is not { } written)
                continue;
            foreach (var input in inputs)
            {
                if (
                    input is not null
                    && FileStamp.TryOf(input) is { } read
                    && (read.Device, read.Inode) == (written.Device, written.Inode)
                )
                {
                    throw new CliException($"{option}: {path} is read by this run; name another file");
                }
            }
        }
    }

    /// <summary>Is the order of first touches to be written?</summary>
    public WorkingSetRecording WorkingSet => _record is null ? WorkingSetRecording.Off : WorkingSetRecording.On;

    /// <summary>Writes everything.</summary>
    /// <param name="report">The report.</param>
    /// <param name="backend">What the guest ran on.</param>
    /// <param name="cluster">The nodes that took part; null where none did.</param>
    /// <param name="compiled">How long the warm-up took; null where there was none.</param>
    public void Write(MigrationReport report, Backend backend, ClusterSummary? cluster, TimeSpan? compiled)
    {
        if (JsonIsStandardOutput)
            WriteOut(JsonReport.Of(report, backend, cluster, compiled));
        else if (_json is not null)
            WriteFile(_json, JsonReport.Of(report, backend, cluster, compiled));
        if (_html is not null)
            WriteFile(_html, HtmlReport.Of(report));
        WriteWorkingSet(report.WorkingSet);
    }

    /// <summary>Writes a report that is text already.</summary>
    public void WriteText(string json)
    {
        if (JsonIsStandardOutput)
            WriteOut(json);
        else if (_json is not null)
            WriteFile(_json, json);
    }

    /// <summary>Writes a page.</summary>
    public void WriteHtml(string page)
    {
        if (_html is not null)
            WriteFile(_html, page);
    }

    /// <summary>Writes rows.</summary>
    public void WriteCsv(string rows)
    {
        if (_csv is not null)
            WriteFile(_csv, rows);
    }

    /// <summary>Writes a working set, where one was recorded.</summary>
    public void WriteWorkingSet(WorkingSet? set)
    {
        if (_record is null || set is null)
            return;
        if (MergesRecord)
            WorkingSetFile.Merge(_record, set);
        else
            WorkingSetFile.Save(_record, set);
    }

    /// <summary>Looks whether a file could be written there.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The file; null for none.</param>
    /// <exception cref="CliException">It is a folder, or in none.</exception>
    public static void Check(string option, string? path)
    {
        if (path is null)
            return;
        if (path.Length == 0)
            throw new CliException($"{option}: the name is empty; name a file");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (Directory.Exists(path))
            throw new CliException($"{option}: {path} is a folder; name a file");
        if (!Directory.Exists(folder))
            throw new CliException($"{option}: there is no folder {folder}; make it first");
    }

    // The one that is written last would be all that is left.
    private void CheckApart()
    {
        var files = Files.Where(static f => f.Path is not null).ToArray();
        for (var i = 0; i < files.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (IsSame(files[i].Path!, files[j].Path!))
                {
                    throw new CliException(
                        $"{files[i].Option}: {files[i].Path} is the file of {files[j].Option}, too; name another file"
                    );
                }
            }
        }
    }

    private static bool IsSame(string one, string other) =>
        Path.GetFullPath(one) == Path.GetFullPath(other)
        || (
            FileStamp.TryOf(one) is { } first
            && FileStamp.TryOf(other) is { } second
            && (first.Device, first.Inode) == (second.Device, second.Inode)
            && File.Exists(one)
        );

    private static void WriteOut(string text)
    {
        try
        {
            Console.Out.WriteLine(text);
        }
        catch (IOException e)
        {
            throw new CliException($"standard output: cannot be written: {e.Message}");
        }
    }

    private static void WriteFile(string path, string text)
    {
        try
        {
            WholeFile.Write(path, Encoding.UTF8.GetBytes(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path}: cannot be written: {e.Message}");
        }
    }
}
