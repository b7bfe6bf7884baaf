using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// The section userfault.source: how a source of pages in this process, and the path to it, are modelled.
/// </summary>
/// <param name="Link">The path.</param>
/// <param name="RememberedContents">Contents remembered to recognise duplicates; 0 recognises none.</param>
internal sealed record SourceSection(LinkSettings Link, int RememberedContents)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public static SourceSection Of(Settings settings)
    {
        var (name, bandwidth) = settings.Get("source.bandwidth");
        var link = new LinkSettings(
            settings.DurationNs("source.latency"),
            settings.DurationNs("source.jitter"),
            Units.BitsPerSecond(name, bandwidth),
            (ulong)settings.Count("seed", 0, int.MaxValue)
        );
        return new SourceSection(link, settings.Count("source.remembered-contents", 0, 1 << 24));
    }
}
