using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Pages.Tests;

public sealed class WholeFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_replaced_whole_and_nothing_else_is_left()
    {
        var path = _folder.Write("a", "old and longer");
        WholeFile.Write(path, "new"u8);
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal(["a"], _folder.Names());
    }

    [Fact]
    public void A_symbolic_link_stays_one_and_its_file_is_written()
    {
        var target = _folder.Write("target", "old");
        var link = _folder.At("link");
        File.CreateSymbolicLink(link, target);
        WholeFile.Write(link, "new"u8);
        Assert.Equal(target, new FileInfo(link).LinkTarget);
        Assert.Equal("new", File.ReadAllText(target));
    }

    [Fact]
    public void A_link_to_nothing_makes_its_file()
    {
        var link = _folder.At("link");
        File.CreateSymbolicLink(link, _folder.At("target"));
        WholeFile.Write(link, "new"u8);
        Assert.Equal("new", File.ReadAllText(_folder.At("target")));
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    /// <summary>A device stays what it is: it is written to, and what it says is told.</summary>
    [Fact]
    public void A_device_is_written_to()
    {
        var link = _folder.At("null");
        File.CreateSymbolicLink(link, "/dev/null");
        WholeFile.Write(link, "new"u8);
        Assert.Equal("/dev/null", new FileInfo(link).LinkTarget);
        var full = _folder.At("full");
        File.CreateSymbolicLink(full, "/dev/full");
        Assert.Throws<IOException>(() => WholeFile.Write(full, "new"u8));
        Assert.Equal(FileKind.Other, FileStamp.TryOf("/dev/full")?.Kind);
    }
}
