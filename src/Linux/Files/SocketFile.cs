using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// The file of a listening socket: its path, and which file that was. Another process may put its own socket at the
/// same path, and that one is not this process's to remove.
/// </summary>
/// <param name="Path">Where it was bound.</param>
/// <param name="Device">The file system's device number.</param>
/// <param name="Inode">The file's number there.</param>
public sealed record SocketFile(string Path, ulong Device, ulong Inode)
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint TypeAndInode = 0x101;

    /// <summary>The socket that is at a path now; null where none is.</summary>
    public static unsafe SocketFile? At(string path)
    {
        Status status;
        return Libc.StatX(CurrentFolder, path, NoFollow, TypeAndInode, (FileStatus*)&status) == 0 && status.IsSocket
            ? new SocketFile(path, ((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.Inode)
            : null;
    }

    /// <summary>Removes it where it still is what is at its path; whatever else is there stays.</summary>
    public void Remove()
    {
        if (At(Path) == this)
            _ = Libc.Unlink(Path);
    }

    // struct statx, as far as it tells files apart.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        private const ushort TypeMask = 0xf000;
        private const ushort Socket = 0xc000;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;

        public readonly bool IsSocket => (Mode & TypeMask) == Socket;
    }
}
