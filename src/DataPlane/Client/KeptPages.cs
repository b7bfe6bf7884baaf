using Userfault.Mmu;

namespace Userfault.DataPlane;

/// <summary>
/// The last pages of content, in order of arrival: the ring whose slots duplicates refer to.
/// </summary>
internal sealed unsafe class KeptPages(int window)
{
    private readonly ReceiveBuffer?[] _buffers = new ReceiveBuffer?[window];
    private readonly nint[] _pages = new nint[window];
    private int _next;

    /// <summary>Keeps the pages of one frame, each replacing the oldest.</summary>
    public void Add(ReceiveBuffer buffer, byte* first, int pages)
    {
        for (var i = 0; i < pages && window > 0; i++)
        {
            buffer.Hold();
            _buffers[_next]?.Release();
            _buffers[_next] = buffer;
            _pages[_next] = (nint)(first + ((long)i * Page.Size));
            _next = _next + 1 == window ? 0 : _next + 1;
        }
    }

    /// <summary>False if the slot was never filled.</summary>
    public bool TryGet(uint slot, out ReceiveBuffer? buffer, out byte* page)
    {
        buffer = slot < (uint)window ? _buffers[slot] : null;
        page = buffer is null ? null : (byte*)_pages[slot];
        return buffer is not null;
    }

    public void Clear()
    {
        foreach (var buffer in _buffers)
        {
            buffer?.Release();
        }
        Array.Clear(_buffers);
    }
}
