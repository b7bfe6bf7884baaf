using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// The secret-free form's two further descriptors: the guest_memfd, written to by pwrite, and the bitmap that the
/// vCPUs' exits follow, shared with the monitor. Owned by the pager's thread.
/// </summary>
internal sealed unsafe class GuestMemfdSide : IGuestMemfd
{
    private readonly OwnedFd _memory;
    private readonly bool _isGuestMemfd;
    private readonly OwnedFd _bitmapFd;
    private readonly MemoryMapping _mapping;
    private readonly UserfaultBitmap _bitmap;

    /// <summary>Takes both descriptors.</summary>
    /// <param name="memory">The guest_memfd, or a memfd in its place.</param>
    /// <param name="bitmap">A memfd of one bit a page in 64-bit words.</param>
    /// <param name="pages">Pages that both must cover.</param>
    /// <exception cref="ProtocolException">One is too short, or the bitmap could shrink under this process.</exception>
    public GuestMemfdSide(OwnedFd memory, OwnedFd bitmap, ulong pages)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(bitmap);
        var bytes = (pages + 63) / 64 * sizeof(ulong);
        if (Memfd.SizeOf(memory) < (long)(pages << Page.Shift))
        {
            throw new ProtocolException(
                ProtocolError.MemoryTooShort,
                $"the second descriptor ({memory.Describe()}) is shorter than the regions: no guest_memfd of theirs"
            );
        }
        // Nothing is written, and still it is said whether it could be: a guest_memfd of released kernels cannot, nor
        // what is open for reading.
        if (Libc.WriteAt(memory.Number, null, 0, 0) < 0 && Errors.Last is var error)
        {
            throw new ProtocolException(
                ProtocolError.MemoryNotWritable,
                $"the second descriptor ({memory.Describe()}) cannot be written by a handler: {error}"
            );
        }

        if (Memfd.SizeOf(bitmap) < (long)bytes)
        {
            throw new ProtocolException(
                ProtocolError.BitmapTooShort,
                $"the third descriptor ({bitmap.Describe()}) is shorter than a bitmap of {pages} pages"
            );
        }

        if (!Memfd.CannotShrink(bitmap))
        {
            throw new ProtocolException(
                ProtocolError.BitmapCanShrink,
                "the bitmap's memfd can shrink: create it with MFD_ALLOW_SEALING, or seal it with F_SEAL_SHRINK"
            );
        }

        _isGuestMemfd = memory.Describe().Contains("[kvm-gmem]", StringComparison.Ordinal);
        _memory = memory;
        _bitmapFd = bitmap;
        _mapping = MemoryMapping.Of(bitmap, bytes);
        _bitmap = UserfaultBitmap.Over((ulong*)_mapping.Start, pages);
    }

    /// <inheritdoc/>
    public (OwnedFd Memory, OwnedFd Bitmap) Descriptors => (_memory, _bitmapFd);

    /// <inheritdoc/>
    public UffdResult Write(MemoryPage first, ulong pages, byte* bytes, byte* zeros)
    {
        var offset = (long)(first.Value << Page.Shift);
        var length = bytes == null ? Page.Size : (nuint)(pages << Page.Shift);
        var written = Libc.WriteAt(_memory.Number, bytes == null ? zeros : bytes, length, offset);
        if (written > 0)
        {
            return new UffdResult(
                (ulong)written & ~Page.OffsetMask,
                (ulong)written == pages << Page.Shift ? LinuxErrno.None : LinuxErrno.EAGAIN
            );
        }

        var error = Errors.Last;
        // A guest_memfd says so where the page is populated already. Of any other file, ENOSPC is a lack of space.
        return error is LinuxErrno.EEXIST or LinuxErrno.ENOSPC && _isGuestMemfd
            ? new UffdResult(Page.Size, pages == 1 ? LinuxErrno.None : LinuxErrno.EAGAIN)
            : new UffdResult(0, error == LinuxErrno.None ? LinuxErrno.EIO : error);
    }

    /// <inheritdoc/>
    public void Clear(MemoryPage first, ulong pages)
    {
        if (pages == 1)
            _bitmap.Clear(first.Value);
        else
            _bitmap.ClearRange(first.Value, pages);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bitmap.Dispose();
        _mapping.Dispose();
        _memory.Dispose();
        _bitmapFd.Dispose();
    }
}
