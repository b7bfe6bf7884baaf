using System.Runtime.InteropServices;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The data of one send: an array of iovecs over headers in a scratch area and content in place. It is refilled only
/// once all of it has been sent, so its targets must not move or be freed before <see cref="IsEmpty"/>.
/// </summary>
internal sealed unsafe class SendBatch : IDisposable
{
    /// <summary>
    /// Pages per batch: enough to make a system call cheap, few enough that demand need not wait long.
    /// </summary>
    private const int MaxPages = 64;

    /// <summary>A header and a page each, and a few more for small frames; the kernel accepts 1024.</summary>
    private const int MaxVectors = (2 * MaxPages) + 8;

    private const int ScratchBytes = 2 * MaxScratchFrame;
    private const int MaxScratchFrame = FrameHeader.Size + WireLimits.SourcesPayloadBytes;

    private readonly List<PageBatch> _leases = [];
    private IoVector* _vectors = (IoVector*)NativeMemory.Alloc(MaxVectors, (nuint)sizeof(IoVector));
    private byte* _scratch = (byte*)NativeMemory.Alloc(ScratchBytes);
    private byte* _made;
    private int _first;
    private int _end;
    private int _scratchUsed;
    private int _pages;
    private int _madePages;

    public bool IsEmpty => _first == _end;

    /// <summary>Is there room for one more small frame and one more frame with content?</summary>
    public bool HasRoom => RoomForPages > 0 && _scratchUsed <= ScratchBytes - MaxScratchFrame;

    /// <summary>Pages of content that still fit behind one more header.</summary>
    public int RoomForPages => Math.Min(MaxPages - _pages, MaxVectors - _end - 1);

    public ReadOnlySpan<IoVector> Pending => new(_vectors + _first, _end - _first);

    /// <summary>Memory for a page that an image generates; <see cref="AppendPage"/> takes it.</summary>
    public byte* NextMadePage
    {
        get
        {
            // Only images without memory of their own need it: most connections never allocate it.
            if (_made == null)
            {
                _made = (byte*)NativeMemory.AlignedAlloc((MaxPages + 1) * Page.Size, Page.Size);
            }
            return _made + ((long)_madePages * Page.Size);
        }
    }

    /// <summary>Appends bytes for a header or a small frame, to be written before the batch is sent.</summary>
    public Span<byte> Append(int bytes)
    {
        var at = _scratch + _scratchUsed;
        _scratchUsed += bytes;
        Add(at, bytes);
        return new Span<byte>(at, bytes);
    }

    /// <summary>Appends a page by reference. A page in <see cref="NextMadePage"/> takes that memory.</summary>
    public void AppendPage(byte* content)
    {
        _madePages += _made != null && content == NextMadePage ? 1 : 0;
        Add(content, Page.Size);
        _pages++;
    }

    /// <summary>Keeps the pages of <paramref name="lease"/> until the batch is sent.</summary>
    public void Hold(PageBatch lease) => _leases.Add(lease);

    /// <summary>
    /// Records that the kernel has accepted the first <paramref name="bytes"/> of <see cref="Pending"/>.
    /// </summary>
    public void Sent(long bytes)
    {
        while (bytes > 0)
        {
            ref var vector = ref _vectors[_first];
            if ((ulong)bytes < vector.Length)
            {
                vector = new IoVector(vector.Base + bytes, vector.Length - (nuint)bytes);
                return;
            }
            bytes -= (long)vector.Length;
            _first++;
        }
        if (IsEmpty)
        {
            Clear();
        }
    }

    public void Dispose()
    {
        Clear();
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_scratch);
        NativeMemory.AlignedFree(_made);
        _vectors = null;
        _scratch = _made = null;
    }

    private void Add(byte* at, int bytes)
    {
        // Adjacent memory forms one vector: small frames, and a run of pages of a file.
        if (_end > _first && _vectors[_end - 1].Base + _vectors[_end - 1].Length == at)
        {
            _vectors[_end - 1] = new IoVector(_vectors[_end - 1].Base, _vectors[_end - 1].Length + (nuint)bytes);
            return;
        }
        _vectors[_end++] = new IoVector(at, (nuint)bytes);
    }

    private void Clear()
    {
        foreach (var lease in _leases)
        {
            lease.Release();
        }
        _leases.Clear();
        _first = _end = _scratchUsed = _pages = _madePages = 0;
    }
}
