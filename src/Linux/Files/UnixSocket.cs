using System.Runtime.InteropServices;
using System.Text;

namespace Userfault.Linux;

/// <summary>
/// A UNIX stream socket that carries descriptors beside bytes (SCM_RIGHTS). Everything received is closed on exec.
/// Calls block unless said otherwise.
/// </summary>
public sealed unsafe class UnixSocket : IDisposable
{
    /// <summary>Descriptors taken from one message at most; the kernel lets 253 through.</summary>
    public const int MaxDescriptors = 253;

    /// <summary>How long to wait, in ms, before a connection that could not be accepted is tried again.</summary>
    public const int AcceptAgainMs = 100;

    private const int AF_UNIX = 1;
    private const int SOCK_STREAM = 1;
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;
    private const int SCM_RIGHTS = 1;
    private const int SHUT_RD = 0;
    private const int MSG_DONTWAIT = 0x40;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int MSG_CMSG_CLOEXEC = 0x40000000;
    private const int MSG_CTRUNC = 0x8;
    private const int AddressBytes = 110;
    private const int MaxPathBytes = 107;
    private const int HeaderBytes = 16;
    private const int ControlBytes = HeaderBytes + (MaxDescriptors * sizeof(int)) + sizeof(int);

    /// <summary>Takes a socket that came from elsewhere.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="file">Its file, where it listens at one that it may remove.</param>
    public UnixSocket(OwnedFd fd, SocketFile? file = null) => (Fd, File) = (fd, file);

    /// <summary>The descriptor.</summary>
    public OwnedFd Fd { get; }

    /// <summary>The file that it listens at and may remove; null where there is none.</summary>
    public SocketFile? File { get; }

    /// <summary>The process at the other end when it connected, by SO_PEERCRED.</summary>
    /// <exception cref="LinuxException">Not connected.</exception>
    public int PeerPid
    {
        get
        {
            // struct ucred: pid, uid, gid.
            var credentials = stackalloc int[3];
            uint bytes = 12;
            Errors.Check(
                Libc.GetSocketOption(Fd.Number, SOL_SOCKET, SO_PEERCRED, credentials, &bytes),
                "getsockopt SO_PEERCRED"
            );
            return credentials[0];
        }
    }

    /// <summary>Where it listens, as it was told; empty where it does not.</summary>
    public string Path
    {
        get
        {
            var address = stackalloc byte[AddressBytes];
            uint bytes = AddressBytes;
            if (Libc.GetSocketName(Fd.Number, address, &bytes) < 0 || bytes <= 2)
                return "";
            var path = new ReadOnlySpan<byte>(address + 2, (int)Math.Min(bytes, AddressBytes) - 2);
            return Encoding.UTF8.GetString(path.IndexOf((byte)0) is var end and >= 0 ? path[..end] : path);
        }
    }

    /// <summary>
    /// Takes the file away that it listens at, so that nobody who comes from now on finds it; a file that another
    /// process has put there since stays.
    /// </summary>
    public void RemoveFile() => File?.Remove();

    /// <summary>Listens at a path that must be free.</summary>
    /// <exception cref="LinuxException">EADDRINUSE, EACCES, ENOENT and their like, with the path.</exception>
    public static UnixSocket Listen(string path)
    {
        var socket = New();
        var address = stackalloc byte[AddressBytes];
        var bytes = Fill(address, path);
        if (Libc.Bind(socket.Fd.Number, address, bytes) < 0 || Libc.Listen(socket.Fd.Number, 128) < 0)
        {
            var error = Errors.Last;
            socket.Dispose();
            throw new LinuxException(
                $"bind {path}",
                error,
                error == LinuxErrno.EADDRINUSE ? "somebody listens there, or did: remove the file if nobody does" : null
            );
        }
        return new UnixSocket(socket.Fd, SocketFile.At(path));
    }

    /// <summary>
    /// Listens at a path; a socket that a dead process left there is removed, and nothing else ever is.
    /// </summary>
    /// <exception cref="LinuxException">Somebody listens there, or another file is there, or as
    /// <see cref="Listen"/>.</exception>
    public static UnixSocket ListenAnew(string path)
    {
        var left = SocketFile.At(path);
        if (System.IO.File.Exists(path))
        {
            try
            {
                Connect(path).Dispose();
            }
            catch (LinuxException e) when (e.Error == LinuxErrno.ECONNREFUSED)
            {
                // Who connects to any other kind of file is refused in the same words.
                if (left is null)
                {
                    throw new LinuxException(
                        $"bind {path}",
                        LinuxErrno.EADDRINUSE,
                        "a file that is no socket is there, and is left as it is"
                    );
                }

                // Another one may be about to do the same: what it has put there meanwhile is not removed.
                left.Remove();
            }
            catch (LinuxException)
            {
                // bind says what it is.
            }
        }
        return Listen(path);
    }

    /// <summary>Connects to who listens at a path.</summary>
    /// <exception cref="LinuxException">ENOENT, ECONNREFUSED and their like, with the path.</exception>
    public static UnixSocket Connect(string path)
    {
        var socket = New();
        var address = stackalloc byte[AddressBytes];
        var bytes = Fill(address, path);
        if (Libc.Connect(socket.Fd.Number, address, bytes) < 0)
        {
            var error = Errors.Last;
            socket.Dispose();
            throw new LinuxException(
                $"connect {path}",
                error,
                error is LinuxErrno.ENOENT or LinuxErrno.ECONNREFUSED ? "nobody listens there" : null
            );
        }
        return socket;
    }

    /// <summary>Two ends of one connection.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public static (UnixSocket One, UnixSocket Other) Pair()
    {
        var pair = stackalloc int[2];
        Errors.Check(Libc.SocketPair(AF_UNIX, SOCK_STREAM | Libc.O_CLOEXEC, 0, pair), "socketpair");
        return (new UnixSocket(new OwnedFd(pair[0])), new UnixSocket(new OwnedFd(pair[1])));
    }

    /// <summary>Takes the next connection; null where it was gone again, or descriptors have run out.</summary>
    public UnixSocket? Accept() => Accept(out _);

    /// <summary>Takes the next connection; null with the error where there is none.</summary>
    public UnixSocket? Accept(out LinuxErrno error)
    {
        var fd = Libc.Accept(Fd.Number, null, null, Libc.O_CLOEXEC);
        error = fd < 0 ? Errors.Last : LinuxErrno.None;
        return fd < 0 ? null : new UnixSocket(new OwnedFd(fd));
    }

    /// <summary>
    /// Nothing more comes in: who sends from now on, or connects where this socket listens, is told that nobody is
    /// there. What came before can still be received, or accepted; behind that is the end of the stream, or EINVAL.
    /// </summary>
    public void StopReceiving() => _ = Libc.Shutdown(Fd.Number, SHUT_RD);

    /// <summary>
    /// Is there something to read (or an end) within <paramref name="timeoutMs"/>? -1 waits for ever.
    /// </summary>
    public bool WaitReadable(int timeoutMs)
    {
        var poll = new PollFd(Fd.Number, Libc.POLLIN);
        return Libc.Poll(&poll, 1, timeoutMs) > 0;
    }

    /// <summary>Waits until something can be received or accepted; false where the other is signalled first.</summary>
    public bool WaitReadable(EventFd unless)
    {
        ArgumentNullException.ThrowIfNull(unless);
        var polls = stackalloc PollFd[2];
        polls[0] = new PollFd(Fd.Number, Libc.POLLIN);
        polls[1] = new PollFd(unless.Fd.Number, Libc.POLLIN);
        _ = Libc.Poll(polls, 2, -1);
        return polls[1].Returned == 0;
    }

    /// <summary>Waits until there is room to send; false where there is none in time.</summary>
    public bool WaitWritable(int timeoutMs)
    {
        var poll = new PollFd(Fd.Number, Libc.POLLOUT);
        return Libc.Poll(&poll, 1, timeoutMs) > 0;
    }

    /// <summary>Sends all of <paramref name="bytes"/>, descriptors with the first of them.</summary>
    /// <exception cref="LinuxException">EPIPE: nobody is there.</exception>
    public void Send(ReadOnlySpan<byte> bytes, params ReadOnlySpan<OwnedFd> descriptors)
    {
        var sent = SendOnce(bytes, descriptors, 0);
        while (sent < bytes.Length)
            sent += SendOnce(bytes[sent..], [], 0);
    }

    /// <summary>Sends what goes at once; 0 where nothing does.</summary>
    /// <exception cref="LinuxException">EPIPE: nobody is there.</exception>
    public int TrySend(ReadOnlySpan<byte> bytes) => SendOnce(bytes, [], MSG_DONTWAIT);

    /// <summary>
    /// Receives what is there: bytes, and descriptors, which are added to <paramref name="descriptors"/> and are the
    /// caller's. 0 is the end of the stream, -1 that nothing is there yet (only where <paramref name="wait"/> is
    /// false).
    /// </summary>
    /// <exception cref="LinuxException">The connection broke, or more descriptors came than may.</exception>
    public int Receive(Span<byte> bytes, List<OwnedFd> descriptors, bool wait = true)
    {
        ArgumentNullException.ThrowIfNull(descriptors);
        var control = stackalloc byte[ControlBytes];
        fixed (byte* to = bytes)
        {
            var vector = new IoVector { Base = to, Length = (nuint)bytes.Length };
            var message = new MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = ControlBytes,
            };
            var flags = MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT);
            nint received;
            while ((received = Libc.ReceiveMessage(Fd.Number, &message, flags)) < 0)
            {
                var error = Errors.Last;
                if (error == LinuxErrno.EAGAIN)
                    return -1;
                if (error == LinuxErrno.ECONNRESET)
                    return 0;
                if (error != LinuxErrno.EINTR)
                    throw new LinuxException("recvmsg", error);
            }
            TakeDescriptors(message, descriptors);
            if ((message.Flags & MSG_CTRUNC) != 0)
            {
                throw new LinuxException(
                    "recvmsg",
                    LinuxErrno.EMFILE,
                    "descriptors were cut off: raise the limit of open files"
                );
            }

            return (int)received;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Fd.Dispose();

    // struct cmsghdr: length u64, level i32, type i32, then the data; each starts on a multiple of 8.
    private static void TakeDescriptors(in MessageHeader message, List<OwnedFd> descriptors)
    {
        var at = (byte*)message.Control;
        var end = at + message.ControlLength;
        while (end - at >= HeaderBytes)
        {
            var length = *(ulong*)at;
            if (length < HeaderBytes || length > (ulong)(end - at))
                return;
            if (*(int*)(at + 8) == SOL_SOCKET && *(int*)(at + 12) == SCM_RIGHTS)
            {
                for (var fd = (int*)(at + HeaderBytes); (byte*)(fd + 1) <= at + length; fd++)
                    descriptors.Add(new OwnedFd(*fd));
            }
            at += (nint)((length + 7) & ~7UL);
        }
    }

    private int SendOnce(ReadOnlySpan<byte> bytes, ReadOnlySpan<OwnedFd> descriptors, int flags)
    {
        var control = stackalloc byte[ControlBytes];
        fixed (byte* from = bytes)
        {
            var vector = new IoVector { Base = from, Length = (nuint)bytes.Length };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            if (!descriptors.IsEmpty)
            {
                var length = HeaderBytes + (descriptors.Length * sizeof(int));
                *(ulong*)control = (ulong)length;
                *(int*)(control + 8) = SOL_SOCKET;
                *(int*)(control + 12) = SCM_RIGHTS;
                for (var i = 0; i < descriptors.Length; i++)
                    *(int*)(control + HeaderBytes + (i * sizeof(int))) = descriptors[i].Number;
                message.Control = control;
                message.ControlLength = (nuint)((length + 7) & ~7);
            }
            nint sent;
            while ((sent = Libc.SendMessage(Fd.Number, &message, flags | MSG_NOSIGNAL)) < 0)
            {
                var error = Errors.Last;
                if (error == LinuxErrno.EAGAIN)
                    return 0;
                if (error != LinuxErrno.EINTR)
                    throw new LinuxException("sendmsg", error);
            }
            return (int)sent;
        }
    }

    private static UnixSocket New() =>
        new(new OwnedFd(Errors.Check(Libc.Socket(AF_UNIX, SOCK_STREAM | Libc.O_CLOEXEC, 0), "socket")));

    // struct sockaddr_un: family u16, path with its final zero.
    private static uint Fill(byte* address, string path)
    {
        if (path.Length == 0)
            throw new LinuxException("socket path", LinuxErrno.EINVAL, "it is empty; name a file");
        var length = Encoding.UTF8.GetByteCount(path);
        if (length > MaxPathBytes)
            throw new LinuxException($"socket path {path}", LinuxErrno.ENAMETOOLONG, $"at most {MaxPathBytes} bytes");
        NativeMemory.Clear(address, AddressBytes);
        *(ushort*)address = AF_UNIX;
        Encoding.UTF8.GetBytes(path, new Span<byte>(address + 2, MaxPathBytes));
        return (uint)(2 + length + 1);
    }
}
