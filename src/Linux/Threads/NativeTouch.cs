namespace Userfault.Linux;

/// <summary>
/// Access to memory that may not be there yet. Every way into it is an ordinary call to native code: a thread that
/// slept in managed code on a missing page would keep the next collection from starting, and with it everybody who
/// could help.
/// </summary>
public static unsafe class NativeTouch
{
    /// <summary>The calling thread, as a userfaultfd names it that tells threads.</summary>
    public static int ThreadId => ThreadKick.CurrentThread;

    /// <summary>Reads 8 bytes.</summary>
    public static ulong Read(byte* from)
    {
        ulong word;
        Libc.Copy(&word, from, sizeof(ulong));
        return word;
    }

    /// <summary>Writes 8 bytes.</summary>
    public static void Write(byte* to, ulong word) => Libc.Copy(to, &word, sizeof(ulong));

    /// <summary>Are the bytes the same?</summary>
    public static bool Equal(byte* one, byte* other, ulong bytes) => Libc.Compare(one, other, (nuint)bytes) == 0;

    /// <summary>Reads 8 bytes of a file, as a vCPU reads guest_memfd without the VMM's mapping.</summary>
    /// <exception cref="LinuxException">The file ends before.</exception>
    public static ulong Read(OwnedFd file, ulong offset)
    {
        ArgumentNullException.ThrowIfNull(file);
        ulong word;
        return Libc.ReadAt(file.Number, &word, sizeof(ulong), (long)offset) == sizeof(ulong)
            ? word
            : throw new LinuxException("pread", Errors.Last);
    }

    /// <summary>Writes 8 bytes of a file.</summary>
    /// <exception cref="LinuxException">The file cannot be written.</exception>
    public static void Write(OwnedFd file, ulong offset, ulong word)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (Libc.WriteAt(file.Number, &word, sizeof(ulong), (long)offset) != sizeof(ulong))
            throw new LinuxException("pwrite", Errors.Last);
    }

    /// <summary>Sleeps about this long in native code; the kernel adds some 60 us.</summary>
    public static void Sleep(long microseconds) => _ = Libc.Usleep((uint)Math.Clamp(microseconds, 0, 999_999));
}
