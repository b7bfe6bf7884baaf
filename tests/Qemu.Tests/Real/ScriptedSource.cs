using System.Buffers;
using System.Net.Sockets;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// A source that sends what a test tells it to, right or wrong, and does not answer requests by itself.
/// </summary>
internal sealed class ScriptedSource : IDisposable
{
    private static readonly Dictionary<string, ulong> SmallPages = [];
    private readonly QemuImage _image;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ReturnPathReader _reader = new(1 << 20);
    private readonly byte[] _received = new byte[64 << 10];

    public ScriptedSource(QemuImage image, string path)
    {
        _image = image;
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _socket.ReceiveTimeout = Patience.OfMs(120_000);
    }

    /// <summary>Everything up to the package, with each block as the file has it.</summary>
    public void Begin()
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new StreamWriter(bytes);
        writer.Header();
        writer.Bytes(_image.Stream.Configuration.Span);
        writer.Command(CommandKind.OpenReturnPath);
        writer.Advise(Page.Size, Page.Size);
        writer.StartOfRam(_image.Stream.RamSection, _image.Stream.RamVersion, _image.Stream.Blocks, SmallPages);
        foreach (var block in _image.Stream.Blocks)
            writer.Discard(block.Name, block.Bytes);
        var package = new ArrayBufferWriter<byte>();
        var inside = new StreamWriter(package);
        inside.Command(CommandKind.PostcopyListen);
        inside.Bytes(_image.DeviceState);
        inside.Ping(PostcopyCore.LoadedPing);
        inside.Command(CommandKind.PostcopyRun);
        writer.Package(package.WrittenSpan);
        Send(bytes);
    }

    /// <summary>Sends pages in a section of their own, whether or not they were sent before.</summary>
    public void SendPages(params ReadOnlySpan<MemoryPage> pages)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new StreamWriter(bytes);
        writer.PartOfRam(_image.Stream.RamSection);
        foreach (var page in pages)
        {
            var block = _image.BlockOf(page);
            var content = Content(page);
            writer.Page((page.Value - block.FirstPage.Value) * Page.Size, block.Name, content.IsEmpty);
            writer.Bytes(content);
        }
        writer.EndOfSection(_image.Stream.RamSection);
        Send(bytes);
    }

    /// <summary>
    /// The next message of the destination; null where it has closed the connection.
    /// </summary>
    public ReturnMessage? Next()
    {
        ReturnMessage message;
        while (!_reader.TryRead(out message))
        {
            int count;
            try
            {
                count = _socket.Receive(_received);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                return null;
            }
            if (count == 0)
                return null;
            _reader.Append(_received.AsSpan(0, count));
        }
        return message;
    }

    /// <summary>The pages of a request.</summary>
    public MemoryPageRange PagesOf(in ReturnMessage request)
    {
        var name = request.Block;
        var block = _image.Stream.Blocks.Single(block => block.Name == name);
        return new MemoryPageRange(block.FirstPage.Plus(request.Offset / Page.Size), request.Bytes / Page.Size);
    }

    public void Dispose() => _socket.Dispose();

    private unsafe ReadOnlySpan<byte> Content(MemoryPage page)
    {
        var content = _image.Read(page, null);
        return content == null ? default : new ReadOnlySpan<byte>(content, Page.Size);
    }

    private void Send(ArrayBufferWriter<byte> bytes)
    {
        for (var rest = bytes.WrittenSpan; !rest.IsEmpty; )
            rest = rest[_socket.Send(rest)..];
    }
}
