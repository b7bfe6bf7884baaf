using System.Buffers;
using System.Net.Sockets;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>A file that is written to shortly before its guest has all of it.</summary>
public sealed class ChangedFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, PostcopyEnd.Completed)]
    [InlineData(true, PostcopyEnd.ImageChanged)]
    public async Task A_restore_looks_at_the_file_before_it_says_that_it_is_complete(bool isChanged, PostcopyEnd wanted)
    {
        var path = _folder.Write("vm.mig", StreamBuilder.Small(8).Bytes);
        using var image = QemuImage.Open(path);
        var source = GuestSource.Of(image, TimeProvider.System);
        using var restore = new GuestRestore(source, new PostcopySettings(), null, TimeProvider.System);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var address = new UnixDomainSocketEndPoint(_folder.At("s"));
        listener.Bind(address);
        listener.Listen();
        var mine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await mine.ConnectAsync(address);
        using var destination = await listener.AcceptAsync();
        var end = restore.RunAsync(mine, null, SessionKind.Start, CancellationToken.None);
        // PONG 3: the devices are loaded.
        await destination.SendAsync(new byte[] { 0, 2, 0, 4, 0, 0, 0, 3 });
        await ReadToEndAsync(destination, image.Stream.RamSection);
        if (isChanged)
            File.SetLastWriteTimeUtc(path, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        // SHUT 0: the destination has all of its memory.
        await destination.SendAsync(new byte[] { 0, 1, 0, 4, 0, 0, 0, 0 });
        Assert.Equal(wanted, (await end).End);
    }

    private static async Task ReadToEndAsync(Socket destination, uint section)
    {
        var last = new ArrayBufferWriter<byte>();
        new StreamWriter(last).End(section);
        var received = new List<byte>();
        var buffer = new byte[4096];
        while (!received.TakeLast(last.WrittenCount).SequenceEqual(last.WrittenMemory.ToArray()))
        {
            var count = await destination.ReceiveAsync(buffer);
            Assert.NotEqual(0, count);
            received.AddRange(buffer.AsSpan(0, count));
        }
    }
}
