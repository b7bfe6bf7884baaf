using System.Runtime.CompilerServices;
using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>Sizes, numbers and bits against the headers of the machine's own kernel and C library.</summary>
public class LayoutTests
{
    // What a header may lack because it is older than the call: left out there, checked where it is known.
    private const string Program = """
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <stdio.h>
        #include <stddef.h>
        #include <sys/ioctl.h>
        #include <sys/mman.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <sys/un.h>
        #include <linux/userfaultfd.h>
        #include <linux/mman.h>
        #include <linux/stat.h>
        #define P(name, value) printf("%s %lld\n", name, (long long)(value))
        int main(void)
        {
            P("UFFDIO_API", UFFDIO_API); P("UFFDIO_REGISTER", UFFDIO_REGISTER);
            P("UFFDIO_UNREGISTER", UFFDIO_UNREGISTER);
            P("UFFDIO_WAKE", UFFDIO_WAKE); P("UFFDIO_COPY", UFFDIO_COPY); P("UFFDIO_ZEROPAGE", UFFDIO_ZEROPAGE);
            P("UFFDIO_WRITEPROTECT", UFFDIO_WRITEPROTECT); P("UFFDIO_CONTINUE", UFFDIO_CONTINUE);
        #ifdef UFFDIO_POISON
            P("UFFDIO_POISON", UFFDIO_POISON); P("FEATURE_POISON", UFFD_FEATURE_POISON);
        #endif
        #ifdef UFFDIO_MOVE
            P("UFFDIO_MOVE", UFFDIO_MOVE); P("FEATURE_MOVE", UFFD_FEATURE_MOVE);
        #endif
        #ifdef USERFAULTFD_IOC_NEW
            P("IOC_NEW", USERFAULTFD_IOC_NEW);
        #endif
            P("uffd_msg", sizeof(struct uffd_msg)); P("msg.address", offsetof(struct uffd_msg, arg.pagefault.address));
            P("msg.ptid", offsetof(struct uffd_msg, arg.pagefault.feat.ptid));
            P("msg.start", offsetof(struct uffd_msg, arg.remove.start));
            P("msg.end", offsetof(struct uffd_msg, arg.remove.end));
            P("msg.len", offsetof(struct uffd_msg, arg.remap.len));
            P("msg.ufd", offsetof(struct uffd_msg, arg.fork.ufd));
            P("copy.copy", offsetof(struct uffdio_copy, copy)); P("copy.mode", offsetof(struct uffdio_copy, mode));
            P("zeropage.zeropage", offsetof(struct uffdio_zeropage, zeropage));
            P("register.ioctls", offsetof(struct uffdio_register, ioctls));
            P("FEATURE_EVENT_REMOVE", UFFD_FEATURE_EVENT_REMOVE); P("FEATURE_EVENT_UNMAP", UFFD_FEATURE_EVENT_UNMAP);
            P("FEATURE_MINOR_SHMEM", UFFD_FEATURE_MINOR_SHMEM); P("FEATURE_THREAD_ID", UFFD_FEATURE_THREAD_ID);
            P("EVENT_REMOVE", UFFD_EVENT_REMOVE); P("EVENT_UNMAP", UFFD_EVENT_UNMAP);
            P("EVENT_PAGEFAULT", UFFD_EVENT_PAGEFAULT);
            P("MODE_MINOR", UFFDIO_REGISTER_MODE_MINOR); P("MODE_WP", UFFDIO_REGISTER_MODE_WP);
            P("userfaultfd", __NR_userfaultfd); P("pidfd_open", __NR_pidfd_open);
            P("pidfd_send_signal", __NR_pidfd_send_signal);
            P("sched_setattr", __NR_sched_setattr);
        #ifdef MADV_POPULATE_READ
            P("MADV_POPULATE_READ", MADV_POPULATE_READ);
        #endif
            P("pollfd", sizeof(struct pollfd)); P("iovec", sizeof(struct iovec)); P("msghdr", sizeof(struct msghdr));
            P("msg_control", offsetof(struct msghdr, msg_control)); P("msg_flags", offsetof(struct msghdr, msg_flags));
            P("cmsghdr", sizeof(struct cmsghdr)); P("SCM_RIGHTS", SCM_RIGHTS);
            P("sockaddr_un", sizeof(struct sockaddr_un));
            P("statx", sizeof(struct statx)); P("stx_mode", offsetof(struct statx, stx_mode));
            P("stx_size", offsetof(struct statx, stx_size));
            P("STATX", STATX_TYPE | STATX_SIZE);
            P("O_NONBLOCK", O_NONBLOCK); P("O_CLOEXEC", O_CLOEXEC);
            P("ESRCH", ESRCH); P("EEXIST", EEXIST); P("EAGAIN", EAGAIN); P("EHWPOISON", EHWPOISON);
            P("ECONNRESET", ECONNRESET);
            P("ENAMETOOLONG", ENAMETOOLONG); P("EADDRINUSE", EADDRINUSE); P("ENOSYS", ENOSYS);
            P("EOPNOTSUPP", EOPNOTSUPP);
            return 0;
        }
        """;

    [SkippableFact]
    public unsafe void Layouts_are_the_headers()
    {
        Dictionary<string, long> ours = new()
        {
            ["UFFDIO_API"] = (long)UffdLayouts.UffdioApi,
            ["UFFDIO_REGISTER"] = (long)UffdLayouts.UffdioRegister,
            ["UFFDIO_UNREGISTER"] = (long)UffdLayouts.UffdioUnregister,
            ["UFFDIO_WAKE"] = (long)UffdLayouts.UffdioWake,
            ["UFFDIO_COPY"] = (long)UffdLayouts.UffdioCopy,
            ["UFFDIO_ZEROPAGE"] = (long)UffdLayouts.UffdioZeropage,
            ["UFFDIO_WRITEPROTECT"] = (long)UffdLayouts.UffdioWriteprotect,
            ["UFFDIO_CONTINUE"] = (long)UffdLayouts.UffdioContinue,
            ["UFFDIO_POISON"] = (long)UffdLayouts.UffdioPoison,
            ["UFFDIO_MOVE"] = (long)UffdLayouts.UffdioMove,
            ["IOC_NEW"] = (long)UffdLayouts.New,
            ["FEATURE_POISON"] = (long)UffdFeatures.Poison,
            ["FEATURE_MOVE"] = (long)UffdFeatures.Move,
            ["uffd_msg"] = sizeof(UffdMessage),
            ["msg.address"] = 16,
            ["msg.ptid"] = 24,
            ["msg.start"] = 8,
            ["msg.end"] = 16,
            ["msg.len"] = 24,
            ["msg.ufd"] = 8,
            ["copy.copy"] = sizeof(UffdLayouts.CopyArgument) - sizeof(long),
            ["copy.mode"] = 24,
            ["zeropage.zeropage"] = sizeof(UffdLayouts.RangeArgument) - sizeof(long),
            ["register.ioctls"] = 24,
            ["FEATURE_EVENT_REMOVE"] = (long)UffdFeatures.EventRemove,
            ["FEATURE_EVENT_UNMAP"] = (long)UffdFeatures.EventUnmap,
            ["FEATURE_MINOR_SHMEM"] = (long)UffdFeatures.MinorShmem,
            ["FEATURE_THREAD_ID"] = (long)UffdFeatures.ThreadId,
            ["EVENT_REMOVE"] = (long)UffdEventKind.Remove,
            ["EVENT_UNMAP"] = (long)UffdEventKind.Unmap,
            ["EVENT_PAGEFAULT"] = (long)UffdEventKind.Pagefault,
            ["MODE_MINOR"] = (long)UffdRegisterModes.Minor,
            ["MODE_WP"] = (long)UffdRegisterModes.Wp,
            ["userfaultfd"] = RuntimeIsArm ? 282 : 323,
            ["pidfd_open"] = 434,
            ["pidfd_send_signal"] = 424,
            ["sched_setattr"] = RuntimeIsArm ? Scheduling.SetAttributeArm64 : Scheduling.SetAttributeX64,
            ["MADV_POPULATE_READ"] = Libc.MADV_POPULATE_READ,
            ["pollfd"] = sizeof(PollFd),
            ["iovec"] = sizeof(IoVector),
            ["msghdr"] = sizeof(MessageHeader),
            ["msg_control"] = OffsetOf((m) => (nint)(&m->Control)),
            ["msg_flags"] = OffsetOf((m) => (nint)(&m->Flags)),
            ["cmsghdr"] = 16,
            ["SCM_RIGHTS"] = 1,
            ["sockaddr_un"] = 110,
            ["statx"] = sizeof(FileStatus),
            ["stx_mode"] = (long)System.Runtime.InteropServices.Marshal.OffsetOf<FileStatus>(nameof(FileStatus.Mode)),
            ["stx_size"] = (long)System.Runtime.InteropServices.Marshal.OffsetOf<FileStatus>(nameof(FileStatus.Bytes)),
            ["STATX"] = FileStatus.TypeAndSize,
            ["O_NONBLOCK"] = Libc.O_NONBLOCK,
            ["O_CLOEXEC"] = Libc.O_CLOEXEC,
            ["ESRCH"] = (long)LinuxErrno.ESRCH,
            ["EEXIST"] = (long)LinuxErrno.EEXIST,
            ["EAGAIN"] = (long)LinuxErrno.EAGAIN,
            ["EHWPOISON"] = (long)LinuxErrno.EHWPOISON,
            ["ECONNRESET"] = (long)LinuxErrno.ECONNRESET,
            ["ENAMETOOLONG"] = (long)LinuxErrno.ENAMETOOLONG,
            ["EADDRINUSE"] = (long)LinuxErrno.EADDRINUSE,
            ["ENOSYS"] = (long)LinuxErrno.ENOSYS,
            ["EOPNOTSUPP"] = (long)LinuxErrno.EOPNOTSUPP,
        };
        var theirs = CCompiler.Ask(Program);
        Assert.True(theirs.Count > 40);
        Assert.Empty(
            theirs.Where(t => ours[t.Key] != t.Value).Select(t => $"{t.Key}: header {t.Value}, ours {ours[t.Key]}")
        );
    }

    /// <summary>
    /// struct sched_attr as the kernel knows it since 5.3 (SCHED_ATTR_SIZE_VER1); the kernel refuses another size.
    /// </summary>
    [Fact]
    public unsafe void A_threads_attributes_have_the_kernels_layout()
    {
        Scheduling.Attributes attributes;
        Assert.Equal(56, sizeof(Scheduling.Attributes));
        Assert.Equal(16, (byte*)&attributes.Nice - (byte*)&attributes);
        Assert.Equal(24, (byte*)&attributes.RuntimeNs - (byte*)&attributes);
    }

    /// <summary>The numbers of the two newest calls by hand: older headers lack them.</summary>
    [Fact]
    public void The_newest_calls_have_the_kernels_numbers()
    {
        Assert.Equal(0xC020AA08u, (uint)UffdLayouts.UffdioPoison);
        Assert.Equal(0xC028AA05u, (uint)UffdLayouts.UffdioMove);
        Assert.Equal(32, Unsafe.SizeOf<UffdMessage>());
    }

    private static bool RuntimeIsArm =>
        System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
        == System.Runtime.InteropServices.Architecture.Arm64;

    private unsafe delegate nint FieldOf(MessageHeader* header);

    private static unsafe long OffsetOf(FieldOf field)
    {
        MessageHeader header;
        return field(&header) - (nint)(&header);
    }
}
