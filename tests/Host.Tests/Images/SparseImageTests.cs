using System.Globalization;
using Userfault.Handler;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>An image of a terabyte, most of which is a hole.</summary>
public sealed class SparseImageTests
{
    private const long Pages = 1L << 28;
    private const long MaxPrivateKib = 200_000;

    [SkippableFact]
    public async Task It_is_served_without_being_read()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess("serve", "--image", Terabyte(folder), "--socket", folder.At("s"));
        var line = await serve.Line(HandlerEvent.Listening);
        Assert.Contains($"{Pages} pages", line, StringComparison.Ordinal);
        Assert.InRange(PrivateKib(serve.Id), 1, MaxPrivateKib);
        serve.Interrupt();
        Assert.Equal(0, await serve.End());
    }

    [Fact]
    public async Task Its_zero_pages_are_counted_without_being_read()
    {
        using var folder = new TemporaryFolder();
        var info = await CommandLine.Run("image", "info", Terabyte(folder));
        Assert.True(info.ExitCode == 0, info.Error);
        Assert.Contains($"{Pages} (1.0 TiB), {Pages - 3} of them zero", info.Output, StringComparison.Ordinal);
    }

    private static long PrivateKib(int process) =>
        File.ReadLines($"/proc/{process}/smaps_rollup")
            .Where(static line => line.StartsWith("Private_", StringComparison.Ordinal))
            .Sum(static line =>
                long.Parse(
                    line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(),
                    CultureInfo.InvariantCulture
                )
            );

    private static string Terabyte(TemporaryFolder folder)
    {
        using var file = File.Create(folder.At("terabyte"));
        file.SetLength(Pages * 4096);
        foreach (var page in new[] { 0, Pages / 2, Pages - 1 })
        {
            file.Position = page * 4096;
            file.Write([1, 2, 3]);
        }

        return folder.At("terabyte");
    }
}
