using System.Buffers.Binary;
using System.IO.Compression;

namespace Userfault.Pages;

/// <summary>
/// A gzip file of one member, read to its end or not at all: the base library takes a file that was cut off for one
/// that ends there, so the length in the file's last four bytes is held against what came out.
/// </summary>
internal sealed class WholeGzip : Stream
{
    // Ten bytes of header, two of an empty body, eight of trailer.
    private const int SmallestSize = 20;
    private readonly FileStream _file;
    private readonly GZipStream _gzip;
    private readonly uint _promised;
    private uint _read;

    /// <summary>Takes over the file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public WholeGzip(FileStream file)
    {
        _file = file;
        Span<byte> trailer = stackalloc byte[4];
        if (file.Length >= SmallestSize)
        {
            file.Position = file.Length - trailer.Length;
            file.ReadExactly(trailer);
            file.Position = 0;
        }
        _promised = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        _gzip = new GZipStream(file, CompressionMode.Decompress);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Does the file begin as gzip does? Leaves it at its start.</summary>
    public static bool IsGzip(FileStream file)
    {
        Span<byte> magic = stackalloc byte[2];
        var read = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return read == magic.Length && magic[0] == 0x1f && magic[1] == 0x8b;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The file is damaged or was cut off.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = _gzip.Read(buffer, offset, count);
        _read += (uint)read;
        if (read == 0 && count > 0 && (_read != _promised || _file.Length < SmallestSize))
            throw new InvalidDataException("the gzip file ends early");
        return read;
    }

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gzip.Dispose();
            _file.Dispose();
        }
        base.Dispose(disposing);
    }
}
