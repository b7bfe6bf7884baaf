namespace Userfault.Linux;

/// <summary>
/// Where a sparse file holds data (lseek SEEK_DATA and SEEK_HOLE). A file system that does not know its holes says that
/// all is data. One reader; moves the descriptor's offset.
/// </summary>
/// <param name="fd">The file; not owned.</param>
/// <param name="length">Its size in bytes.</param>
/// <param name="maxCalls">How often the kernel may be asked, in all: what lies behind is taken for data.</param>
public sealed class DataExtents(OwnedFd fd, ulong length, int maxCalls)
{
    private const int SeekData = 3;
    private const int SeekHole = 4;

    private int _calls;

    /// <summary>
    /// The first extent of data that ends behind an offset; empty at the file's end where there is none.
    /// </summary>
    /// <param name="from">The offset, in bytes.</param>
    public (ulong Start, ulong End) Next(ulong from)
    {
        if (from >= length)
            return (length, length);
        if (_calls >= maxCalls)
            return (from, length);
        _calls += 2;
        var start = Libc.Seek(fd.Number, (long)from, SeekData);
        if (start < 0)
            return Errors.Last == LinuxErrno.ENXIO ? (length, length) : (from, length);
        var end = Libc.Seek(fd.Number, start, SeekHole);
        return ((ulong)start, end < 0 ? length : Math.Min((ulong)end, length));
    }
}
