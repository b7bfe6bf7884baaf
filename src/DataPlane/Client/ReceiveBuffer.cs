using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Memory that a client receives into and passes on by reference. The receive thread holds it while filling it; every
/// batch and every kept page that points into it holds it too. Filled bytes are never overwritten until all holders
/// have released it.
/// </summary>
internal sealed unsafe class ReceiveBuffer : IPageLease
{
    // Two of the largest frames: a partial frame that does not fit behind a complete one is moved, which costs one more
    // copy of each of its bytes.
    public const int Capacity = 2 * (FrameHeader.Size + WireLimits.ServerPayloadBytes);

    // Pinned and managed rather than native: a batch that is never released costs garbage, nothing worse.
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Capacity, pinned: true);
    private readonly ReceiveBufferPool _pool;
    private int _holders;

    public ReceiveBuffer(ReceiveBufferPool pool)
    {
        _pool = pool;
        Start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
    }

    public byte* Start { get; }

    /// <summary>End of the bytes already parsed into frames.</summary>
    public int Parsed { get; set; }

    /// <summary>End of the bytes received.</summary>
    public int Filled { get; set; }

    public ReadOnlySpan<byte> Unparsed => new(Start + Parsed, Filled - Parsed);

    public Span<byte> Room => new(Start + Filled, Capacity - Filled);

    /// <summary>Is the receive thread the only holder?</summary>
    public bool IsExclusive => Volatile.Read(ref _holders) == 1;

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _pool.Return(this);
        }
    }

    /// <summary>Gives the buffer to the caller alone, with <paramref name="rest"/> at its start.</summary>
    public void Reset(ReadOnlySpan<byte> rest)
    {
        rest.CopyTo(new Span<byte>(Start, Capacity));
        Parsed = 0;
        Filled = rest.Length;
        Volatile.Write(ref _holders, 1);
    }
}
