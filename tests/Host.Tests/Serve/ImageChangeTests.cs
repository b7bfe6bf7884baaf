using Userfault.Handler;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A handler and its monitors as real processes, while the image's file changes.</summary>
public sealed class ImageChangeTests
{
    private const int Bytes = 8 << 20;

    [SkippableFact]
    public async Task A_guest_that_lacks_pages_of_an_image_that_was_written_to_is_stopped_by_name()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        var image = Write(folder);
        using var serve = Serve(folder, image, "--once", "--json", folder.At("serve.json"));
        await serve.Line(HandlerEvent.Listening);
        using var guest = Guest(folder, image);
        await guest.Line("paused");
        using (var file = File.OpenWrite(image))
        {
            file.Position = 4096 * 100;
            file.Write([0xa5]);
        }

        Assert.Contains(image, await serve.Line(HandlerEvent.ImageChanged), StringComparison.Ordinal);
        await serve.Line(HandlerEvent.MonitorStopped);
        Assert.NotEqual(0, await guest.End());
        Assert.Equal(1, await serve.End());
        var vm = ServeProcess.Report(folder.At("serve.json")).GetProperty("vms")[0];
        Assert.Equal("failed", vm.GetProperty("end").GetString());
    }

    [SkippableFact]
    public async Task A_guest_that_comes_when_the_image_was_replaced_is_refused_and_the_one_before_is_served()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        var image = Write(folder);
        // What the guest checks against is the image as it was.
        File.Copy(image, folder.At("copy"));
        using var serve = Serve(folder, image);
        await serve.Line(HandlerEvent.Listening);
        using var first = Guest(folder, folder.At("copy"));
        await first.Line("paused");
        File.Copy(image, folder.At("new"));
        File.Move(folder.At("new"), image, overwrite: true);

        using var second = Guest(folder, folder.At("copy"));
        await serve.Line(HandlerEvent.ImageChanged);
        await serve.Line(HandlerEvent.Refused);
        Assert.NotEqual(0, await second.End());
        first.Enter();
        Assert.True(await first.End() == 0, first.All());
    }

    private static ServeProcess Serve(TemporaryFolder folder, string image, params string[] args) =>
        new(["serve", "--image", image, "--socket", folder.At("s"), "--push", "none", "--chunk", "1", .. args]);

    private static ServeProcess Guest(TemporaryFolder folder, string image) =>
        new("guest", "--socket", folder.At("s"), "--image", image, "--touchers", "4", "--pause-at", "0.5");

    private static string Write(TemporaryFolder folder)
    {
        var bytes = new byte[Bytes];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)((i * 31) + (i >> 12) + 1);
        return folder.Write("image", bytes);
    }
}
