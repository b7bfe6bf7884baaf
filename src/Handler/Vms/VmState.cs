using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// What a standby must know to go on where a dead process stopped: which pages are missing, and which the guest gave
/// back. It lies in a memfd that both processes map; the one that serves writes it, page by page, after each page is in
/// place.
/// <code>
/// 0    8  "UFSTATE1"
/// 8   32  identity of the image
/// 40   8  pages
/// 48  16  what is being put in place in the secret-free form: 1 + the first page, or 0; how many pages, bit 63 for
/// userfaultfd 2048 .  userfaultfd messages, as the kernel wrote them
/// 4096 .  the stream of fault requests as far as it was read, and those without an answer (secret-free form)
/// .    n  missing, one bit a page; then, from the next multiple of 4096, the pages given back
/// </code>
/// </summary>
internal sealed unsafe class VmState : IDisposable
{
    private const ulong Magic = 0x3145544154534655;
    private const int StreamBytes = RegionList.MaxBytes + 4096;
    private const int StreamAt = 4096;
    private const int PlacingAt = 48;
    private const ulong ThroughUffd = 1UL << 63;
    private const int MessagesAt = 2048;
    private const ulong HeaderBytes =
        ((ulong)StreamAt + StreamBytes + RequestLedger.Bytes + Page.OffsetMask) & ~Page.OffsetMask;

    private readonly MemoryMapping _memory;

    private VmState(OwnedFd fd, ulong pages)
    {
        Fd = fd;
        _memory = MemoryMapping.Of(fd, BytesFor(pages));
        Missing = UserfaultBitmap.Over((ulong*)(_memory.Start + HeaderBytes), pages);
        Removed = UserfaultBitmap.Over((ulong*)(_memory.Start + HeaderBytes + BitmapBytes(pages)), pages);
    }

    /// <summary>The memfd, to be handed to a standby.</summary>
    public OwnedFd Fd { get; }

    /// <summary>Pages whose content is not in place; by page of the image.</summary>
    public UserfaultBitmap Missing { get; }

    /// <summary>Pages that the guest gave back and that were not touched since: they read as zeros.</summary>
    public UserfaultBitmap Removed { get; }

    /// <summary>Messages that are read at once.</summary>
    public const int MessagesAtOnce = (StreamAt - MessagesAt) / 32;

    /// <summary>
    /// The messages of the last <see cref="Read"/>. The kernel writes them here in the same call that takes them off
    /// the descriptor, so that an event that a process had read when it died is not lost with it. Events are set to
    /// none once they are heeded.
    /// </summary>
    public UffdMessage* Messages => (UffdMessage*)(_memory.Start + MessagesAt);

    /// <summary>
    /// Reads what waits at a userfaultfd, at most <see cref="MessagesAtOnce"/> messages; answers how many.
    /// </summary>
    public int Read(IUserfaultfd uffd)
    {
        ArgumentNullException.ThrowIfNull(uffd);
        return uffd.Read(Messages, MessagesAtOnce);
    }

    /// <summary>The message is heeded: nobody has to do so again.</summary>
    public void Heeded(int message) => Messages[message] = default;

    /// <summary>
    /// What a process was putting in place when it died (secret-free form). What the file holds there says nothing: it
    /// may be half written with nobody having seen it, or whole and written over by a device since.
    /// </summary>
    /// <param name="range">Which pages.</param>
    /// <param name="throughUffd">By userfaultfd, or by writing the file?</param>
    public bool TryGetPlacing(out MemoryPageRange range, out bool throughUffd)
    {
        var words = (ulong*)(_memory.Start + PlacingAt);
        range = new MemoryPageRange(new MemoryPage(words[0] - 1), words[1] & ~ThroughUffd);
        throughUffd = (words[1] & ThroughUffd) != 0;
        return words[0] != 0;
    }

    /// <summary>Pages are about to be put in place.</summary>
    public void BeginPlacing(MemoryPage first, ulong pages, bool throughUffd)
    {
        var words = (ulong*)(_memory.Start + PlacingAt);
        words[1] = pages | (throughUffd ? ThroughUffd : 0);
        Volatile.Write(ref words[0], first.Value + 1);
    }

    /// <summary>The bitmaps say what was put in place.</summary>
    public void EndPlacing() => Volatile.Write(ref *(ulong*)(_memory.Start + PlacingAt), 0);

    /// <summary>Where fault requests are cut from the stream; one owner at a time.</summary>
    public JsonCutter OpenStream() => new(_memory.Start + StreamAt, StreamBytes);

    /// <summary>Fault requests without an answer; one owner at a time.</summary>
    public RequestLedger OpenRequests() => new(_memory.Start + StreamAt + StreamBytes);

    /// <summary>A new state, nothing missing yet.</summary>
    /// <exception cref="LinuxException">Out of memory or descriptors.</exception>
    public static VmState Create(ulong pages, ImageIdentity image)
    {
        var state = new VmState(Memfd.Create("userfault-vm", BytesFor(pages)), pages);
        *(ulong*)state._memory.Start = Magic;
        image.WriteTo(new Span<byte>(state._memory.Start + 8, ImageIdentity.Size));
        *(ulong*)(state._memory.Start + 40) = pages;
        return state;
    }

    /// <summary>Another process's state. Takes ownership of the descriptor.</summary>
    /// <exception cref="ProtocolException">It is no such state, or of another image.</exception>
    public static VmState Attach(OwnedFd fd, ImageIdentity image)
    {
        var bytes = Memfd.SizeOf(fd);
        if (bytes < (long)HeaderBytes || !Memfd.CannotShrink(fd))
            throw new ProtocolException("the state of a VM is too short, or can shrink");
        ulong pages;
        using (var header = MemoryMapping.Of(fd, Page.Size))
        {
            pages = *(ulong*)(header.Start + 40);
            if (*(ulong*)header.Start != Magic || pages > 1UL << 40 || BytesFor(pages) != (ulong)bytes)
                throw new ProtocolException("the state of a VM is damaged");
            if (new ImageIdentity(new ReadOnlySpan<byte>(header.Start + 8, ImageIdentity.Size)) != image)
                throw new ProtocolException("the state of a VM is of another image than this process serves");
        }
        return new VmState(fd, pages);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Missing.Dispose();
        Removed.Dispose();
        _memory.Dispose();
        Fd.Dispose();
    }

    private static ulong BitmapBytes(ulong pages) => (((pages + 63) / 64 * 8) + Page.OffsetMask) & ~Page.OffsetMask;

    private static ulong BytesFor(ulong pages) => HeaderBytes + (2 * BitmapBytes(pages));
}
