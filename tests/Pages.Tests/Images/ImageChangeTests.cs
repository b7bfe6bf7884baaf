using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Images;

/// <summary>What has become of an image's file is known.</summary>
public sealed class ImageChangeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void A_file_that_nobody_touches_has_not_changed()
    {
        using var image = Open(out var path);
        Assert.Null(image.Change());
        if (OperatingSystem.IsLinux())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Null(image.Change());
        File.ReadAllBytes(path);
        Assert.Null(image.Change());
    }

    [SkippableFact]
    public void A_byte_that_is_written_is_a_change_of_its_content()
    {
        using var image = Open(out var path);
        Write(path, 3);
        Assert.True(image.Change()?.IsContent);
    }

    [SkippableFact]
    public void A_time_that_is_set_back_hides_no_change()
    {
        using var image = Open(out var path);
        var before = File.GetLastWriteTimeUtc(path);
        Write(path, 3);
        File.SetLastWriteTimeUtc(path, before);
        Assert.True(image.Change()?.IsContent);
    }

    [SkippableFact]
    public void A_file_that_grows_or_is_cut_has_changed()
    {
        using var image = Open(out var path);
        using (var file = File.OpenWrite(path))
            file.SetLength(file.Length + Page.Size);
        Assert.True(image.Change()?.IsContent);
    }

    [SkippableFact]
    public void Another_file_by_its_name_or_none_is_no_change_of_its_content()
    {
        using var image = Open(out var path);
        File.Move(path, path + ".old");
        Assert.False(image.Change()?.IsContent);
        File.WriteAllBytes(path, new byte[8 * Page.Size]);
        Assert.False(image.Change()?.IsContent);
        Assert.Equal(Bytes.Noise(8 * Page.Size, 1)[..Page.Size], Bytes.PageOf(image, 0));
    }

    private static void Write(string path, int page)
    {
        using var file = File.OpenWrite(path);
        file.Position = page * Page.Size;
        file.Write([0xa5, 0x5a]);
    }

    private IMemoryImage Open(out string path)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "files tell their changes on Linux alone");
        path = _folder.Write("image", Bytes.Noise(8 * Page.Size, 1));
        // Another time than the tests' own, however coarse the clock.
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var image = MemoryImages.Open(path);
        _ = image.Identity;
        return image;
    }
}
