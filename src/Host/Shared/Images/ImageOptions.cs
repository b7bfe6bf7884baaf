using System.CommandLine;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>Which image: for commands that start no actor system and read no HOCON.</summary>
internal sealed class ImageOptions
{
    public Option<string> Image { get; } = new("--image") { Description = $"memory image: {ImageFiles.Kinds}" };

    public Option<string> Synthetic { get; } =
        new("--synthetic") { Description = "make an image of this size instead, such as 256M" };

    public Option<string> ZeroShare { get; } =
        new("--zero-share") { Description = "share of zero pages in the synthetic image (default 0.3)" };

    public Option<string> Seed { get; } =
        new("--seed") { Description = "seed of the synthetic image and of patterns (default 1)" };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Image, Synthetic, ZeroShare, Seed })
            command.Options.Add(option);
    }

    /// <summary>The seed.</summary>
    public ulong SeedOf(ParseResult result) =>
        (ulong)Units.Count(Seed.Name, result.GetValue(Seed) ?? "1", 0, int.MaxValue);

    /// <summary>The image named; null where none is.</summary>
    /// <exception cref="CliException">A bad value, or both.</exception>
    /// <exception cref="PagingException">A file that cannot be used.</exception>
    public IMemoryImage? TryOpen(ParseResult result)
    {
        var path = result.GetValue(Image);
        var synthetic = result.GetValue(Synthetic);
        if (path is not null && synthetic is not null)
            throw new CliException("--image and --synthetic: give one of them");
        if (path is not null)
            return ImageFiles.Open(path);
        if (synthetic is null)
            return null;
        var zero = result.GetValue(ZeroShare) is { } share ? Units.Share(ZeroShare.Name, share) : 0.3;
        // The same shares as everywhere else: `node --synthetic 64M` serves what `guest --synthetic 64M` checks
        // against.
        return new SyntheticImage(
            new SyntheticSettings(Units.Pages(Synthetic.Name, synthetic), zero, Math.Min(0.1, 1 - zero), SeedOf(result))
        );
    }
}
