namespace Userfault.Linux;

/// <summary>
/// ioctl request numbers of x86-64 and arm64 (include/uapi/asm-generic/ioctl.h):
/// <code>
/// [31:30] direction (1 the kernel reads, 2 it writes) | [29:16] bytes of the argument | [15:8] type | [7:0] number
/// </code>
/// </summary>
internal static class IoctlNumber
{
    /// <summary>_IO: no argument, or a plain number.</summary>
    public static nuint None(byte type, byte number) => Make(0, type, number, 0);

    /// <summary>_IOW: the kernel reads the argument.</summary>
    public static nuint Write(byte type, byte number, int bytes) => Make(1, type, number, bytes);

    /// <summary>_IOR: the kernel fills the argument in.</summary>
    public static nuint Read(byte type, byte number, int bytes) => Make(2, type, number, bytes);

    /// <summary>_IOWR: both.</summary>
    public static nuint Both(byte type, byte number, int bytes) => Make(3, type, number, bytes);

    private static nuint Make(uint direction, byte type, byte number, int bytes) =>
        (direction << 30) | ((uint)bytes << 16) | ((uint)type << 8) | number;
}
