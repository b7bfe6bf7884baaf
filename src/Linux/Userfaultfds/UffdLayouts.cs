using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>The arguments of userfaultfd's ioctls (include/uapi/linux/userfaultfd.h), and their numbers.</summary>
internal static class UffdLayouts
{
    public const ulong Api = 0xAA;
    public const int UserModeOnly = 1;

    public static readonly nuint UffdioApi = IoctlNumber.Both(0xAA, 0x3F, 24);
    public static readonly nuint UffdioRegister = IoctlNumber.Both(0xAA, 0x00, 32);
    public static readonly nuint UffdioUnregister = IoctlNumber.Read(0xAA, 0x01, 16);
    public static readonly nuint UffdioWake = IoctlNumber.Read(0xAA, 0x02, 16);
    public static readonly nuint UffdioCopy = IoctlNumber.Both(0xAA, 0x03, 40);
    public static readonly nuint UffdioZeropage = IoctlNumber.Both(0xAA, 0x04, 32);
    public static readonly nuint UffdioMove = IoctlNumber.Both(0xAA, 0x05, 40);
    public static readonly nuint UffdioWriteprotect = IoctlNumber.Both(0xAA, 0x06, 24);
    public static readonly nuint UffdioContinue = IoctlNumber.Both(0xAA, 0x07, 32);
    public static readonly nuint UffdioPoison = IoctlNumber.Both(0xAA, 0x08, 32);

    /// <summary>USERFAULTFD_IOC_NEW on /dev/userfaultfd.</summary>
    public static readonly nuint New = IoctlNumber.None(0xAA, 0x00);

    /// <summary>struct uffdio_api.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ApiArgument
    {
        public ulong Api;
        public ulong Features;
        public ulong Ioctls;
    }

    /// <summary>
    /// struct uffdio_range, uffdio_register, uffdio_zeropage, uffdio_continue, uffdio_poison, uffdio_writeprotect.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RangeArgument
    {
        public ulong Start;
        public ulong Length;
        public ulong Mode;

        /// <summary>ioctls of uffdio_register; zeropage, mapped, updated of the others: bytes done or -errno.</summary>
        public long Result;
    }

    /// <summary>struct uffdio_copy, uffdio_move.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CopyArgument
    {
        public ulong To;
        public ulong From;
        public ulong Length;
        public ulong Mode;
        public long Result;
    }
}
