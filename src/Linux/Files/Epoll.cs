using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// An epoll descriptor. <c>struct epoll_event</c> is 12 packed bytes on x86-64 and 16 aligned ones elsewhere; both
/// begin with the event mask and hold 64 bits of the caller's, so they are read and written as bytes.
/// </summary>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;

    private const int MaxEvents = 64;
    private const int CloseOnExec = 0x80000;
    private const int Add = 1;
    private const int Delete = 2;
    private const int Modify = 3;

    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - sizeof(long);

    private readonly byte[] _events = GC.AllocateArray<byte>(MaxEvents * EventSize, pinned: true);
    private readonly int _fd;

    public Epoll()
    {
        _fd = Libc.EpollCreate(CloseOnExec);
        if (_fd < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    public void Watch(nint fd, uint events, long data) => Control(Add, fd, events, data);

    public void Change(nint fd, uint events, long data) => Control(Modify, fd, events, data);

    public void Forget(nint fd) => Control(Delete, fd, 0, 0);

    /// <summary>How many events came within <paramref name="timeoutMs"/>; an interrupted wait is none.</summary>
    public int Wait(int timeoutMs)
    {
        fixed (byte* events = _events)
        {
            return Math.Max(Libc.EpollWait(_fd, events, MaxEvents, timeoutMs), 0);
        }
    }

    public (uint Events, long Data) this[int index]
    {
        get
        {
            ReadOnlySpan<byte> entry = _events.AsSpan(index * EventSize, EventSize);
            return (MemoryMarshal.Read<uint>(entry), MemoryMarshal.Read<long>(entry[DataOffset..]));
        }
    }

    public void Dispose() => _ = Libc.Close(_fd);

    private void Control(int operation, nint fd, uint events, long data)
    {
        var entry = stackalloc byte[16];
        *(uint*)entry = events;
        *(long*)(entry + DataOffset) = data;
        if (Libc.EpollControl(_fd, operation, (int)fd, entry) < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }
}
