namespace Userfault.Linux;

/// <summary>
/// A userfaultfd: of this process, or another's that came through a socket. Resolving calls allocate nothing and may be
/// made from any thread. No thread of this process may touch watched memory by managed code: it would sleep where the
/// collector must wait for it, and whoever could wake it is waiting for the collector.
/// </summary>
public sealed unsafe class Userfaultfd : IUserfaultfd
{
    private const string Device = "/dev/userfaultfd";
    private const int SyscallX64 = 323;
    private const int SyscallArm64 = 282;

    private Userfaultfd(OwnedFd fd, UffdFeatures features) => (Fd, Features) = (fd, features);

    /// <summary>The descriptor.</summary>
    public OwnedFd Fd { get; }

    /// <summary>What was agreed on with the kernel, by this process or by the one it came from.</summary>
    public UffdFeatures Features { get; }

    /// <summary>
    /// Opens one for this process and agrees on the API with the kernel. Non-blocking, closed on exec.
    /// </summary>
    /// <param name="features">What must be there.</param>
    /// <param name="way">By which call to open it.</param>
    /// <exception cref="LinuxException">Not permitted, no such call, or a feature that this kernel lacks; the message
    /// says what to do.</exception>
    public static Userfaultfd Open(UffdFeatures features = UffdFeatures.None, UffdWay way = UffdWay.Any)
    {
        var fd = OpenFd(way);
        var argument = new UffdLayouts.ApiArgument { Api = UffdLayouts.Api, Features = (ulong)features };
        if (Libc.Ioctl(fd.Number, UffdLayouts.UffdioApi, &argument) == 0)
            return new Userfaultfd(fd, features);
        var error = Errors.Last;
        fd.Dispose();
        throw new LinuxException("UFFDIO_API", error, $"this kernel lacks one of the features {features}");
    }

    /// <summary>Which features this kernel has.</summary>
    /// <exception cref="LinuxException">No userfaultfd can be opened; the message says what to do.</exception>
    public static UffdFeatures Probe(UffdWay way = UffdWay.Any)
    {
        using var fd = OpenFd(way);
        var argument = new UffdLayouts.ApiArgument { Api = UffdLayouts.Api };
        Errors.Check(Libc.Ioctl(fd.Number, UffdLayouts.UffdioApi, &argument), "UFFDIO_API");
        return (UffdFeatures)argument.Features;
    }

    /// <summary>Why no userfaultfd can be opened here, in one line with the mend; null where one can.</summary>
    public static string? WhyNot(UffdWay way = UffdWay.Any)
    {
        try
        {
            OpenFd(way).Dispose();
            return null;
        }
        catch (LinuxException e)
        {
            return e.Message;
        }
    }

    /// <summary>Takes a descriptor that came from elsewhere; makes it non-blocking, as poll needs it.</summary>
    /// <exception cref="LinuxException">EINVAL: it is no userfaultfd.</exception>
    public static Userfaultfd Adopt(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        if (!IsUserfaultfd(fd))
            throw new LinuxException("userfaultfd", LinuxErrno.EINVAL, $"the descriptor is {fd.Describe()}");
        var flags = Errors.Check(Libc.Fcntl(fd.Number, Libc.F_GETFL, 0), "fcntl F_GETFL");
        Errors.Check(Libc.Fcntl(fd.Number, Libc.F_SETFL, flags | Libc.O_NONBLOCK), "fcntl F_SETFL");
        return new Userfaultfd(fd, FeaturesOf(fd));
    }

    /// <summary>Is it one?</summary>
    public static bool IsUserfaultfd(OwnedFd fd)
    {
        ArgumentNullException.ThrowIfNull(fd);
        return fd.Describe() == "anon_inode:[userfaultfd]";
    }

    /// <summary>UFFDIO_REGISTER; answers which ioctls the range takes, as bits by ioctl number.</summary>
    /// <exception cref="LinuxException">Not aligned, not mapped, or not this kind of memory.</exception>
    public ulong Register(ulong start, ulong bytes, UffdRegisterModes modes)
    {
        var argument = new UffdLayouts.RangeArgument
        {
            Start = start,
            Length = bytes,
            Mode = (ulong)modes,
        };
        Errors.Check(Libc.Ioctl(Fd.Number, UffdLayouts.UffdioRegister, &argument), $"UFFDIO_REGISTER {modes}");
        return (ulong)argument.Result;
    }

    /// <summary>UFFDIO_UNREGISTER: pages that are missing then read as zeros. Wakes who waits.</summary>
    public LinuxErrno Unregister(ulong start, ulong bytes) => Range(UffdLayouts.UffdioUnregister, start, bytes);

    /// <summary>
    /// UFFDIO_WAKE: who waits in the range touches again. EINVAL also where the API was never agreed on.
    /// </summary>
    public LinuxErrno Wake(ulong start, ulong bytes) => Range(UffdLayouts.UffdioWake, start, bytes);

    /// <summary>UFFDIO_COPY: puts content in place.</summary>
    public UffdResult Copy(ulong to, byte* from, ulong bytes, UffdModes modes = UffdModes.None)
    {
        var argument = new UffdLayouts.CopyArgument
        {
            To = to,
            From = (ulong)from,
            Length = bytes,
            Mode = (ulong)modes,
        };
        return Result(Libc.Ioctl(Fd.Number, UffdLayouts.UffdioCopy, &argument), argument.Result, bytes);
    }

    /// <summary>UFFDIO_MOVE: moves pages of this process's own memory into place.</summary>
    public UffdResult Move(ulong to, ulong from, ulong bytes, UffdModes modes = UffdModes.None)
    {
        var argument = new UffdLayouts.CopyArgument
        {
            To = to,
            From = from,
            Length = bytes,
            Mode = (ulong)modes,
        };
        return Result(Libc.Ioctl(Fd.Number, UffdLayouts.UffdioMove, &argument), argument.Result, bytes);
    }

    /// <summary>UFFDIO_ZEROPAGE: pages of zeros.</summary>
    public UffdResult Zeropage(ulong start, ulong bytes, UffdModes modes = UffdModes.None) =>
        RangeResult(UffdLayouts.UffdioZeropage, start, bytes, modes);

    /// <summary>UFFDIO_CONTINUE: maps what is in the page cache.</summary>
    public UffdResult Continue(ulong start, ulong bytes, UffdModes modes = UffdModes.None) =>
        RangeResult(UffdLayouts.UffdioContinue, start, bytes, modes);

    /// <summary>UFFDIO_POISON: a touch gets SIGBUS.</summary>
    public UffdResult Poison(ulong start, ulong bytes, UffdModes modes = UffdModes.None) =>
        RangeResult(UffdLayouts.UffdioPoison, start, bytes, modes);

    /// <summary>
    /// UFFDIO_WRITEPROTECT: protects, or (without <see cref="UffdRegisterModes.Wp"/>) lifts protection and wakes.
    /// </summary>
    public LinuxErrno WriteProtect(ulong start, ulong bytes, bool isProtected)
    {
        var argument = new UffdLayouts.RangeArgument
        {
            Start = start,
            Length = bytes,
            Mode = isProtected ? 1UL : 0,
        };
        return Libc.Ioctl(Fd.Number, UffdLayouts.UffdioWriteprotect, &argument) == 0 ? LinuxErrno.None : Errors.Last;
    }

    /// <summary>Reads what waits, without waiting: 0 where nothing does.</summary>
    /// <param name="messages">Room for several: one call for all.</param>
    /// <param name="count">How many fit.</param>
    public int Read(UffdMessage* messages, int count)
    {
        var bytes = Libc.Read(Fd.Number, messages, (nuint)(count * sizeof(UffdMessage)));
        return bytes < 0 ? 0 : (int)(bytes / sizeof(UffdMessage));
    }

    // COPY looks the mapping up first and reads its source afterwards: from where nothing can be read it answers about
    // the range and puts nothing in place. EEXIST is the answer of huge pages that are there, or of their empty pool.
    /// <inheritdoc/>
    public LinuxErrno Probe(ulong start, ulong bytes) =>
        Copy(start, null, bytes).Error switch
        {
            LinuxErrno.EFAULT or LinuxErrno.EEXIST => LinuxErrno.None,
            var error => error,
        };

    /// <inheritdoc/>
    public void WaitReadable(int timeoutMs)
    {
        var poll = new PollFd(Fd.Number, Libc.POLLIN);
        _ = Libc.Poll(&poll, 1, timeoutMs);
    }

    /// <inheritdoc/>
    public void Dispose() => Fd.Dispose();

    // The line "API: aa:features:ioctls" of fdinfo; none where there is no /proc.
    private static UffdFeatures FeaturesOf(OwnedFd fd)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/self/fdinfo/{fd.Number}"))
            {
                if (!line.StartsWith("API:", StringComparison.Ordinal))
                    continue;
                var fields = line[4..].Split(':');
                if (
                    fields.Length > 1
                    && ulong.TryParse(fields[1], System.Globalization.NumberStyles.HexNumber, null, out var features)
                )
                {
                    return (UffdFeatures)features;
                }
            }
        }
        catch (IOException)
        {
            // The same as a line that is not there.
        }
        return UffdFeatures.None;
    }

    private static OwnedFd OpenFd(UffdWay way)
    {
        const int flags = Libc.O_CLOEXEC | Libc.O_NONBLOCK;
        const string mend =
            "run as root, or allow it: setcap cap_sys_ptrace+ep on the command, read and write on /dev/userfaultfd,"
            + " or sysctl vm.unprivileged_userfaultfd=1";
        if (way != UffdWay.Syscall)
        {
            var device = Libc.Open(Device, Libc.O_RDWR | Libc.O_CLOEXEC, 0);
            if (device >= 0)
            {
                using var owned = new OwnedFd(device);
                var fd = Libc.Ioctl(device, UffdLayouts.New, flags);
                if (fd >= 0 || way == UffdWay.Device)
                    return new OwnedFd(Errors.Check(fd, "USERFAULTFD_IOC_NEW"));
            }
            else if (way == UffdWay.Device)
            {
                throw new LinuxException($"open {Device}", Errors.Last, mend);
            }
        }
        var number =
            System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            == System.Runtime.InteropServices.Architecture.Arm64
                ? SyscallArm64
                : SyscallX64;
        return new OwnedFd((int)Errors.Check(Libc.Syscall(number, flags, 0, 0, 0), "userfaultfd", mend));
    }

    private static UffdResult Result(int returned, long done, ulong bytes)
    {
        if (returned == 0)
            return new UffdResult(bytes, LinuxErrno.None);
        var error = Errors.Last;
        // Only a partial call writes a positive count; where the kernel did not get that far, the field is untouched.
        return done > 0 ? new UffdResult((ulong)done, LinuxErrno.EAGAIN) : new UffdResult(0, error);
    }

    private UffdResult RangeResult(nuint request, ulong start, ulong bytes, UffdModes modes)
    {
        var argument = new UffdLayouts.RangeArgument
        {
            Start = start,
            Length = bytes,
            Mode = (ulong)modes,
        };
        return Result(Libc.Ioctl(Fd.Number, request, &argument), argument.Result, bytes);
    }

    private LinuxErrno Range(nuint request, ulong start, ulong bytes)
    {
        var argument = new UffdLayouts.RangeArgument { Start = start, Length = bytes };
        return Libc.Ioctl(Fd.Number, request, &argument) == 0 ? LinuxErrno.None : Errors.Last;
    }
}
