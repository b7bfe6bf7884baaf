using System.Globalization;
using System.Text;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>
/// Writes an archive in the format of an initramfs: "newc", a header of 110 hexadecimal digits per entry.
/// </summary>
internal sealed class CpioArchive(Stream output) : IDisposable
{
    // Types and permissions, as in stat(2).
    private const uint Folder = 0x41ed; // drwxr-xr-x
    private const uint Program = 0x81ed; // -rwxr-xr-x
    private const uint Link = 0xa1ff; // lrwxrwxrwx
    private const int Alignment = 4;

    private readonly HashSet<string> _names = [];
    private uint _entries;

    /// <summary>Adds a file, executable, and the folders above it.</summary>
    public void AddFile(string name, ReadOnlySpan<byte> content)
    {
        if (IsNew(name))
            Write(name, Program, content);
    }

    /// <summary>The same with the content of a file of this machine.</summary>
    public void AddFile(string name, string path) => AddFile(name, File.ReadAllBytes(path));

    /// <summary>Adds a symbolic link.</summary>
    public void AddLink(string name, string target)
    {
        if (IsNew(name))
            Write(name, Link, Encoding.UTF8.GetBytes(target));
    }

    /// <summary>Adds a folder, and those above it.</summary>
    public void AddFolder(string name)
    {
        if (IsNew(name))
            Write(name, Folder, []);
    }

    /// <summary>Adds the files of a folder and of all folders in it.</summary>
    public void AddTree(string name, string path)
    {
        foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
            AddFile($"{name}/{Path.GetRelativePath(path, file)}", file);
    }

    public void Dispose() => Write("TRAILER!!!", 0, []);

    private bool IsNew(string name)
    {
        if (!_names.Add(name))
            return false;
        if (Path.GetDirectoryName(name) is { Length: > 0 } above)
            AddFolder(above);
        return true;
    }

    private void Write(string name, uint mode, ReadOnlySpan<byte> content)
    {
        // Inode, mode, uid, gid, links, time, size, device (major, minor) twice, length of the name, no checksum.
        ReadOnlySpan<uint> fields =
        [
            ++_entries,
            mode,
            0,
            0,
            1,
            0,
            (uint)content.Length,
            0,
            0,
            0,
            0,
            (uint)Encoding.UTF8.GetByteCount(name) + 1,
            0,
        ];
        var header = new StringBuilder("070701");
        foreach (var field in fields)
            header.Append(field.ToString("x8", CultureInfo.InvariantCulture));
        WriteAligned(Encoding.UTF8.GetBytes($"{header}{name}\0"));
        WriteAligned(content);
    }

    // Every header begins at a multiple of four bytes, and so does every content.
    private void WriteAligned(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        ReadOnlySpan<byte> zeros = [0, 0, 0];
        output.Write(zeros[..(-bytes.Length & (Alignment - 1))]);
    }
}
