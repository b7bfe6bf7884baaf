using Userfault.Actors;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>What a destination says of itself to the other nodes. Read on any thread.</summary>
internal sealed class DestinationReport
{
    private NodeReport _report = NodeReport.Nothing with { State = "waits for pages" };
    private volatile PublishedBitmaps? _published;
    private volatile MigrationProgress? _progress;

    /// <summary>The last progress; null before the guest runs.</summary>
    public MigrationProgress? Progress => _progress;

    /// <summary>As it is now.</summary>
    public NodeReport Now() => Volatile.Read(ref _report) with { Bitmaps = _published?.Shapes ?? [] };

    /// <summary>The bitmaps that other nodes may follow.</summary>
    public void Publish(PublishedBitmaps published) => _published = published;

    /// <summary>Takes in how far the guest is.</summary>
    public void Show(MigrationProgress progress)
    {
        _progress = progress;
        Volatile.Write(
            ref _report,
            NodeReport.Nothing with
            {
                PagesPresent = progress.PagesPresent,
                Pages = progress.Pages,
                State =
                    progress.State.ToString().ToLowerInvariant()
                    + (progress.Reason is { } reason ? $": {Shortened(reason)}" : ""),
            }
        );
    }

    /// <summary>Takes in that the guest is here: replicas of its bitmaps have no use any more.</summary>
    public void Complete(MigrationReport report)
    {
        _published = null;
        Volatile.Write(
            ref _report,
            NodeReport.Nothing with
            {
                PagesPresent = report.PagesPresent,
                Pages = report.Pages,
                State = "completed",
            }
        );
    }

    private static string Shortened(string text) => text.Length <= 200 ? text : text[..200];
}
