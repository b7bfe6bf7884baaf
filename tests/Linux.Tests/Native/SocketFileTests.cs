using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>A listening socket's file is removed by the one that made it, and only while it is that file.</summary>
public class SocketFileTests
{
    [Fact]
    public void Its_own_file_is_removed()
    {
        using var folder = new TemporaryFolder();
        using var socket = UnixSocket.Listen(folder.At("s"));
        Assert.Equal(folder.At("s"), socket.Path);
        socket.RemoveFile();
        Assert.Null(SocketFile.At(folder.At("s")));
        socket.RemoveFile();
    }

    [Fact]
    public void A_successors_file_stays()
    {
        using var folder = new TemporaryFolder();
        using var first = UnixSocket.Listen(folder.At("s"));
        File.Delete(folder.At("s"));
        using var second = UnixSocket.ListenAnew(folder.At("s"));
        first.RemoveFile();
        UnixSocket.Connect(folder.At("s")).Dispose();
        File.Delete(folder.At("s"));
        folder.Write("s", "no socket");
        second.RemoveFile();
        Assert.True(File.Exists(folder.At("s")));
    }

    [Fact]
    public void What_a_dead_process_left_is_replaced_and_what_lives_is_not()
    {
        using var folder = new TemporaryFolder();
        UnixSocket.Listen(folder.At("s")).Dispose();
        using var next = UnixSocket.ListenAnew(folder.At("s"));
        UnixSocket.Connect(folder.At("s")).Dispose();
        Assert.Equal(
            LinuxErrno.EADDRINUSE,
            Assert.Throws<LinuxException>(() => UnixSocket.ListenAnew(folder.At("s"))).Error
        );
    }
}
