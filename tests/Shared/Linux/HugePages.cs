using System.Globalization;
using System.Net.Sockets;

namespace Userfault.Tests;

/// <summary>
/// Huge pages of this machine, reserved for one test and given back. One test at a time, over all processes: whoever
/// listens at a name that is no file has them, and others wait at his door until he is gone.
/// </summary>
internal sealed class HugePages : IDisposable
{
    private const string Reserve = "/proc/sys/vm/nr_hugepages";
    private const int PatienceMs = 120_000;
    private static readonly UnixDomainSocketEndPoint Name = new("\0userfault-huge-pages");
    private readonly Socket _lock;
    private readonly int _before;

    private HugePages(Socket held, int before) => (_lock, _before) = (held, before);

    /// <summary>Reserves some, or skips the test with the reason.</summary>
    public static HugePages Take(int count)
    {
        Skip.IfNot(File.Exists(Reserve), "this kernel has no huge pages");
        var held = Lock();
        try
        {
            var pages = new HugePages(held, Now());
            File.WriteAllText(Reserve, (pages._before + count).ToString(CultureInfo.InvariantCulture));
            if (Now() >= pages._before + count)
                return pages;
            pages.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            Skip.If(true, $"no huge pages can be reserved here: {e.Message}");
        }
        Skip.If(true, $"this machine's memory holds no {count} huge pages in one piece each");
        return null!;
    }

    /// <summary>Reserves more, for the rest of the test.</summary>
    public void TakeMore(int count)
    {
        var wanted = Now() + count;
        File.WriteAllText(Reserve, wanted.ToString(CultureInfo.InvariantCulture));
        Skip.IfNot(Now() >= wanted, $"this machine's memory holds no {wanted} huge pages in one piece each");
    }

    /// <summary>How many are free.</summary>
    public static int Free() =>
        int.Parse(
            File.ReadAllText("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"),
            CultureInfo.InvariantCulture
        );

    public void Dispose()
    {
        File.WriteAllText(Reserve, _before.ToString(CultureInfo.InvariantCulture));
        _lock.Dispose();
    }

    private static Socket Lock()
    {
        while (true)
        {
            var mine = New();
            try
            {
                mine.Bind(Name);
                mine.Listen();
                return mine;
            }
            catch (SocketException)
            {
                mine.Dispose();
                WaitAtTheDoor();
            }
        }
    }

    // Nobody is let in: the connection ends when its listener does, however that comes about.
    private static void WaitAtTheDoor()
    {
        using var door = New();
        door.ReceiveTimeout = PatienceMs;
        try
        {
            door.Connect(Name);
            _ = door.Receive(new byte[1]);
        }
        catch (SocketException e) when (e.SocketErrorCode is not (SocketError.TimedOut or SocketError.WouldBlock))
        {
            // He is gone, or was about to be there.
        }
    }

    private static Socket New() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static int Now() => int.Parse(File.ReadAllText(Reserve), CultureInfo.InvariantCulture);
}
