using System.IO.MemoryMappedFiles;

namespace Userfault.Pages;

/// <summary>
/// A whole file mapped read-only. What can go wrong with a path is a <see cref="PagingException"/> from here.
/// </summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private int _disposed;

    private MappedFile(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, ulong length)
    {
        (Path, _file, _view, Length) = (path, file, view, length);
        byte* bytes = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref bytes);
        Bytes = bytes + view.PointerOffset;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its first byte.</summary>
    public byte* Bytes { get; }

    /// <summary>Bytes in the file; more than 0.</summary>
    public ulong Length { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="PagingException">It is missing, unusable or empty.</exception>
    public static MappedFile Open(string path)
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
                throw new PagingException(PagingError.BadSize, path, "the file is empty", "give a memory image");
            var file = MemoryMappedFile.CreateFromFile(
                stream,
                null,
                0,
                MemoryMappedFileAccess.Read,
                HandleInheritability.None,
                leaveOpen: true
            );
            return new MappedFile(
                path,
                file,
                file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read),
                (ulong)length
            );
        }
        catch (Exception e) when (FileErrors.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
