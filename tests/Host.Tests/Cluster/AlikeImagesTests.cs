using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>
/// Sources of image files too big to be read before they are offered: they are mixed once it is known that they are one
/// image, and only then.
/// </summary>
public sealed class AlikeImagesTests : ClusterSpec
{
    private const long Bytes = 32L << 20;
    private const int PageBytes = 4096;

    [Fact]
    public async Task Copies_of_one_image_are_mixed_and_one_that_differs_in_a_page_is_refused()
    {
        var patient = Config(Patient);
        var first = await Start("source", ["--image", Write("first"), .. patient]);
        // With one source there is nothing to wait for, and with a copy of it what both have.
        var second = await Start("source", ["--image", Write("second"), "--seeds", first.Address, .. patient]);
        string[] guest = ["--pattern", "random", "--accesses", "20", "--json", "-"];
        var run = await CommandLine.Run(["migrate", "--cluster", first.Address, .. guest, .. patient]);
        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal(2, report.GetProperty("nodes").GetInt32());

        await Start("source", ["--image", Write("third", unlike: 4099), "--seeds", second.Address, .. patient]);
        await Eventually.Holds(async () =>
        {
            var mixed = await CommandLine.Run(["migrate", "--cluster", second.Address, .. guest, .. patient]);
            return mixed.ExitCode == 2 && mixed.Error.Contains("several images", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_source_whose_file_is_written_to_ends()
    {
        var image = Write("image");
        using var source = new ServeProcess(["node", "--role", "source", "--image", image, .. Config(Patient)]);
        await source.Line("serves");
        using (var file = File.OpenWrite(image))
        {
            file.Position = 100 * PageBytes;
            file.Write([7]);
        }

        await source.Line(image);
        Assert.Equal(2, await source.End());
    }

    private string Write(string name, int unlike = 0)
    {
        using var file = File.Create(Folder.At(name));
        file.SetLength(Bytes);
        for (var page = 0; page < 64; page++)
        {
            file.Position = page * 100L * PageBytes;
            file.Write([(byte)page, 1, 2, 3]);
        }

        file.Position = (unlike * PageBytes) + 8L;
        file.Write([9]);
        return Folder.At(name);
    }
}
