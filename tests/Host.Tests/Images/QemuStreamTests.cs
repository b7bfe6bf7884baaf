using Userfault.Handler;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A stream that QEMU has saved is an image wherever an image is asked for.</summary>
public sealed class QemuStreamTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Image_info_names_its_blocks()
    {
        var info = await CommandLine.Run("image", "info", Mapped());
        Assert.True(info.ExitCode == 0, info.Error);
        var words = info.Output.Split(['\n', ' ', ','], StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(1, words.Count(static w => w == "qemu-stream"));
        Assert.Equal(1, words.Count(static w => w == "pc.ram"));
        Assert.Equal(1, words.Count(static w => w == "vga"));
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("qemu")]
    public async Task It_migrates(string format)
    {
        var run = await CommandLine.Run("migrate", "--image", Plain(), "--image-format", format, "--pattern", "random");
        Assert.True(run.ExitCode == 0, run.Error);
        (await CommandLine.Run("migrate", "--image", Plain(), "--image-format", "elf")).IsBadInput("vm.mig");
        (await CommandLine.Run("migrate", "--image", Plain(), "--image-format", "qcow")).IsBadInput("qemu");
    }

    [Fact]
    public async Task One_that_is_cut_off_is_one_line()
    {
        var path = _folder.Write("cut.mig", StreamBuilder.Small().Bytes.AsSpan(0, 10_000));
        (await CommandLine.Run("migrate", "--image", path)).IsBadInput("cut.mig");
        (await CommandLine.Run("image", "info", path)).IsBadInput("CutOff");
    }

    [SkippableFact]
    public async Task It_is_served()
    {
        Here.NeedsUserfaultfd();
        using var serve = new ServeProcess("serve", "--image", Plain(), "--socket", _folder.At("s"));
        var line = await serve.Line(HandlerEvent.Listening);
        Assert.Contains("8 pages", line, StringComparison.Ordinal);
        serve.Interrupt();
        Assert.Equal(0, await serve.End());
    }

    private string Plain() => _folder.Write("vm.mig", StreamBuilder.Small().Bytes);

    private string Mapped() => _folder.Write("mapped.mig", MappedStream.Of(0).Bytes);
}
