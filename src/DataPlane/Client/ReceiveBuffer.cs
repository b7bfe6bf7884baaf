using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Memory that a client receives into and hands out by reference. The receive thread holds it while it fills it; every
/// batch and every kept page that points into it holds it too. What is filled is never written again until all have let
/// go.
/// </summary>
internal sealed unsafe class ReceiveBuffer : IPageLease
{
    // Two of the largest frames: half a frame that finds no room behind a whole one is moved, a copy more for each of
    // its bytes.
    public const int Capacity = 2 * (FrameHeader.Size + WireLimits.ServerPayloadBytes);

    // Pinned for life and not native: a batch that is never released costs garbage, nothing worse.
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Capacity, pinned: true);
    private readonly ReceiveBufferPool _pool;
    private int _holders;

    public ReceiveBuffer(ReceiveBufferPool pool)
    {
        _pool = pool;
        Start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
    }

    public byte* Start { get; }

    /// <summary>Up to here frames have been taken out.</summary>
    public int Parsed { get; set; }

    /// <summary>Up to here bytes have come in.</summary>
    public int Filled { get; set; }

    public ReadOnlySpan<byte> Unparsed => new(Start + Parsed, Filled - Parsed);

    public Span<byte> Room => new(Start + Filled, Capacity - Filled);

    /// <summary>Does nobody but the receive thread hold it?</summary>
    public bool IsExclusive => Volatile.Read(ref _holders) == 1;

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _pool.Return(this);
        }
    }

    /// <summary>Makes it the caller's alone, with what <paramref name="rest"/> holds in front.</summary>
    public void Reset(ReadOnlySpan<byte> rest)
    {
        rest.CopyTo(new Span<byte>(Start, Capacity));
        Parsed = 0;
        Filled = rest.Length;
        Volatile.Write(ref _holders, 1);
    }
}
