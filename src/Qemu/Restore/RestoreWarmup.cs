using System.Net.Sockets;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Restores a guest of two pages to this process itself, so that the code between a request and its answer is compiled
/// before a real guest waits for it: else the first answer takes a hundred times longer.
/// </summary>
public static class RestoreWarmup
{
    private const string Block = "warm";
    private const uint Section = 1;

    /// <summary>Takes some hundredths of a second.</summary>
    public static void Run()
    {
        var stream = new SavedStream
        {
            Machine = Block,
            Configuration = new byte[1],
            RamSection = Section,
            RamVersion = 4,
            Blocks = [new RamBlock(Block, 4 * Page.Size, new MemoryPage(0), 0, 0)],
            DeviceStateOffset = 0,
            DeviceStateBytes = 0,
        };
        var source = new GuestSource(stream, new byte[1], static () => new TwoPages())
        {
            Image = default,
            Name = Block,
        };
        using var restore = new GuestRestore(source, new PostcopySettings(), null, TimeProvider.System);
        var (mine, theirs) = UnixSocket.Pair();
        using var destination = ToSocket(mine);
        var end = restore.RunAsync(ToSocket(theirs), null, SessionKind.Start, CancellationToken.None);
        // PONG 3: loaded. Then a request that names its block, and one that does not.
        destination.Send([0, 2, 0, 4, 0, 0, 0, 3]);
        destination.Send([
            0,
            3,
            0,
            17,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0x10,
            0,
            4,
            (byte)'w',
            (byte)'a',
            (byte)'r',
            (byte)'m',
        ]);
        destination.Send([0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x10, 0]);
        ReadToEnd(destination);
        destination.Send([0, 1, 0, 4, 0, 0, 0, 0]);
        end.Wait();
    }

    private static void ReadToEnd(Socket destination)
    {
        var writer = new System.Buffers.ArrayBufferWriter<byte>();
        new StreamWriter(writer).End(Section);
        var received = new byte[64 << 10];
        var count = 0;
        while (!received.AsSpan(0, count).EndsWith(writer.WrittenSpan))
        {
            var more = destination.Receive(received.AsSpan(count));
            if (more == 0)
                return;
            count += more;
        }
    }

    private static Socket ToSocket(UnixSocket socket)
    {
        using (socket)
        {
            var fd = socket.Fd.Duplicate();
            var taken = new SafeSocketHandle(fd.Number, ownsHandle: true);
            fd.SetHandleAsInvalid();
            return new Socket(taken);
        }
    }

    private sealed class TwoPages : IPageContents
    {
        private readonly byte[] _content = new byte[Page.Size];

        public ulong ContentPages => 2;

        public string? Problem => null;

        public long NextArrivalNs => long.MaxValue;

        public bool IsZero(MemoryPage page) => page.Value % 2 == 0;

        public bool IsHere(MemoryPage page, FetchPriority priority) => true;

        public ReadOnlySpan<byte> Read(MemoryPage page) => _content;

        public bool TryTakeArrived(long nowNs, out MemoryPage page)
        {
            page = default;
            return false;
        }

        public void WakeOn(Action wake) { }

        public void Dispose() { }
    }
}
