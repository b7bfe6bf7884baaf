using System.Text;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What a sweep writes, and where; checked before it starts.</summary>
internal sealed class SweepOutputs
{
    private readonly string? _csv,
        _json,
        _html;

    public SweepOutputs(string? csv, string? json, string? html)
    {
        (_csv, _json, _html) = (csv, json, html);
        if (csv == "-" && json == "-")
            throw new CliException("--csv and --json: both on standard output; give one of them a file");
        foreach (var (option, path) in new[] { ("--csv", csv), ("--json", json), ("--html", html) })
        {
            if (path is null || (path == "-" && option != "--html"))
                continue;
            if (path.Length == 0 || Directory.Exists(path))
                throw new CliException($"{option}: '{path}' is no file's name");
            var folder = Path.GetDirectoryName(Path.GetFullPath(path));
            if (!Directory.Exists(folder))
                throw new CliException($"{option}: there is no folder {folder}; make it first");
        }
    }

    public void Write(IReadOnlyList<SweepCurve> curves, IReadOnlyList<SweepAnswers> answers)
    {
        if (_csv is not null)
            Put(_csv, SweepCsv.Of(curves));
        if (_json is not null)
            Put(_json, SweepJson.Of(curves, answers) + "\n");
        if (_html is not null)
            Put(_html, SweepPage.Of(curves, answers));
        if (_csv != "-" && _json != "-")
            SweepTable.Write(Console.Out, curves, answers);
    }

    private static void Put(string path, string text)
    {
        if (path == "-")
        {
            Console.Out.Write(text);
            return;
        }

        try
        {
            WholeFile.Write(path, Encoding.UTF8.GetBytes(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path}: cannot be written: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
