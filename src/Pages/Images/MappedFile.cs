using System.IO.MemoryMappedFiles;
using Userfault.Linux;

namespace Userfault.Pages;

/// <summary>
/// A whole file, or block device, mapped read-only. What can go wrong with a path is a <see cref="PagingException"/>
/// from here.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    // Of a file with more pieces the rest counts as data: looking at each would take longer than reading zeros.
    private const int MaxHoleCalls = 1 << 17;

    private readonly OwnedFd? _fd;
    private readonly MemoryMapping? _mapping;
    private readonly FileStamp _stamp;
    private readonly IDisposable[] _mappings;
    private int _disposed;

    private MappedFile(string path, byte* bytes, ulong length, params IDisposable[] mappings)
    {
        Bytes = bytes;
        (Path, Length, _mappings) = (path, length, mappings);
    }

    private MappedFile(string path, MemoryMapping mapping, OwnedFd fd, FileStamp stamp)
        : this(path, mapping.Start, mapping.Bytes, mapping, fd) => (_fd, _mapping, _stamp) = (fd, mapping, stamp);

    public string Path { get; }

    public byte* Bytes { get; }

    /// <summary>Bytes in the file; more than 0.</summary>
    public ulong Length { get; }

    /// <summary>Which file it was when it was opened; null where the system does not say.</summary>
    public FileStamp? Stamp => _fd is null ? null : _stamp;

    public static MappedFile Open(string path) => OperatingSystem.IsLinux() ? OpenByKernel(path) : OpenByRuntime(path);

    /// <summary>Where the file holds data; null where all of it counts as data.</summary>
    public DataExtents? Extents() =>
        _stamp.Kind == FileKind.Regular ? new DataExtents(_fd!, Length, MaxHoleCalls) : null;

    /// <summary>The state of the open file now; null where the system does not say.</summary>
    public FileStamp? StampNow() => _fd is null ? null : FileStamp.Of(_fd);

    /// <summary>Whose it is: a user's number; null where the system does not say.</summary>
    public uint? Owner => _fd is null ? null : FileOwner.Of(_fd);

    /// <summary>All of it is read in order, from now on or no longer. A hint.</summary>
    public void ExpectInOrder(bool isInOrder) => _mapping?.ExpectInOrder(isInOrder);

    /// <summary>A path that leads to the open file, whatever its own path leads to now.</summary>
    public string? OpenPath => _fd is null ? null : $"/proc/self/fd/{_fd.Number}";

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        foreach (var mapping in _mappings)
            mapping.Dispose();
    }

    // Nothing waits here: a pipe that nobody writes to is opened as well, and refused by its kind.
    private static MappedFile OpenByKernel(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            throw FileErrors.Explain(new ArgumentException(path), path)!;
        var number = Libc.Open(path, Libc.O_RDONLY | Libc.O_CLOEXEC | Libc.O_NONBLOCK, 0);
        if (number < 0)
            throw FileErrors.Explain(Errors.Last, path);
        var fd = new OwnedFd(number);
        try
        {
            var stamp = FileStamp.Of(fd);
            if (stamp.Kind is not (FileKind.Regular or FileKind.BlockDevice))
                throw FileErrors.WrongKind(path, stamp.Kind);
            var length = stamp.LengthOf(fd);
            if (length == 0)
                throw Empty(path);
            return new MappedFile(path, MemoryMapping.Of(fd, length, writable: false), fd, stamp);
        }
        catch (LinuxException e)
        {
            fd.Dispose();
            throw FileErrors.Explain(e.Error, path);
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    private static MappedFile OpenByRuntime(string path)
    {
        try
        {
            // Others may hold the file open for writing (a monitor that keeps its snapshot open): no lock is asked for.
            using var stream = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                1
            );
            var length = stream.Length;
            if (length == 0)
                throw Empty(path);
            var file = MemoryMappedFile.CreateFromFile(
                stream,
                null,
                0,
                MemoryMappedFileAccess.Read,
                HandleInheritability.None,
                leaveOpen: true
            );
            var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* bytes = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref bytes);
            return new MappedFile(path, bytes + view.PointerOffset, (ulong)length, view, file);
        }
        catch (Exception e) when (FileErrors.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    private static PagingException Empty(string path) =>
        new(PagingError.BadSize, path, "the file is empty", "give a memory image");
}
