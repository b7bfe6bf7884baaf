using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Memory whose end is followed by a page that cannot be accessed: one byte too far ends the process.
/// </summary>
internal sealed unsafe class GuardedBytes : IDisposable
{
    private readonly MemoryMapping _memory;
    private readonly ulong _bytes;

    /// <summary>Room for so many bytes.</summary>
    public GuardedBytes(int maxBytes)
    {
        _bytes = ((ulong)maxBytes + Page.OffsetMask) & ~(ulong)Page.OffsetMask;
        _memory = MemoryMapping.Reserve(_bytes + Page.Size);
        if (_bytes > 0)
            _memory.Protect(0, _bytes, writable: true);
    }

    /// <summary>Copies bytes so that they end at the guard; answers where they begin.</summary>
    public byte* Fill(ReadOnlySpan<byte> bytes)
    {
        var start = _memory.Start + _bytes - (ulong)bytes.Length;
        bytes.CopyTo(new Span<byte>(start, bytes.Length));
        return start;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
