using Userfault.Tests;

namespace Userfault.Qemu.Tests;

public sealed class ImageContentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// A file that is written to is noticed within a second of the clock, and not looked at before.
    /// </summary>
    [Fact]
    public void A_file_that_is_written_to_ends_the_restore()
    {
        var path = _folder.Write("vm.mig", StreamBuilder.Small(8).Bytes);
        using var image = QemuImage.Open(path);
        var time = new SteppedTime();
        using var contents = new ImageContents(image, time);
        time.Now = TimeSpan.FromSeconds(2);
        Assert.Null(contents.Problem);
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write))
        {
            file.Position = file.Length / 2;
            file.WriteByte(0xff);
        }

        File.SetLastWriteTimeUtc(path, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        time.Now += TimeSpan.FromMilliseconds(999);
        Assert.Null(contents.Problem);
        // A restore that ends meanwhile looks once more.
        using (var ending = new ImageContents(image, time))
            Assert.NotNull(((IPageContents)ending).FinalProblem);
        time.Now += TimeSpan.FromMilliseconds(1);
        Assert.NotNull(contents.Problem);
        Assert.Equal(PostcopyEnd.ImageChanged, ((IPageContents)contents).ProblemEnd);
    }

    private sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
