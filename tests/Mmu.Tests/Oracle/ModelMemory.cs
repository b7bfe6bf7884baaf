using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The host memory of <see cref="HostLayout"/> as the model sees it: the same addresses, frames numbered from a 1 GiB
/// boundary on, and contents of its own.
/// </summary>
public sealed class ModelMemory(HostLayout layout) : IHostMemory
{
    private const ulong FirstFrame = 1 << 18;
    private static readonly byte[] FirstContents = HostLayout.Template();
    private readonly Dictionary<ulong, byte[]> _written = [];
    private readonly byte[] _userfaultBitmap = new byte[HostLayout.BitmapSize];

    /// <summary>Where the model is told that userfault bitmaps lie; nothing is mapped there in this process.</summary>
    public static ulong BitmapAddress => 1UL << 32;

    public HostPageStatus GetPage(Hva hva, bool write, out HostPage page)
    {
        page = default;
        var area = layout.AreaOf(hva.Value);
        if (area == HostArea.Hole || (area == HostArea.ReadOnly && write))
            return HostPageStatus.Unavailable;
        page = new HostPage(
            new Pfn(FirstFrame + ((hva.Value - layout.Base) >> Page.Shift)),
            area == HostArea.Huge ? PageLevel.Size2M : PageLevel.Size4K,
            IsWritable: area != HostArea.ReadOnly
        );
        return HostPageStatus.Present;
    }

    public bool TryReadBitmapWord(Hva address, out ulong word)
    {
        var offset = address.Value - BitmapAddress;
        var isMapped = offset <= HostLayout.BitmapSize - sizeof(ulong);
        word = isMapped ? BitConverter.ToUInt64(_userfaultBitmap, (int)offset) : 0;
        return isMapped;
    }

    public void ChangeBits(KvmCall.ChangeBits call)
    {
        ref var word = ref MemoryMarshal.Cast<byte, ulong>(_userfaultBitmap.AsSpan())[(int)call.Word];
        word = call.Set ? word | call.Mask : word & ~call.Mask;
    }

    public ulong Read(Pfn pfn, ulong offset, int bytes)
    {
        var index = pfn.Value - FirstFrame;
        var page = _written.TryGetValue(index, out var written) ? written : First(index);
        return KernelVcpu.Truncate(MemoryMarshal.Read<ulong>(page[(int)offset..]), bytes);
    }

    public void Write(Pfn pfn, ulong offset, int bytes, ulong value)
    {
        var index = pfn.Value - FirstFrame;
        ref var page = ref CollectionsMarshal.GetValueRefOrAddDefault(_written, index, out _);
        page ??= First(index).ToArray();
        Span<byte> all = stackalloc byte[sizeof(ulong)];
        MemoryMarshal.Write(all, value);
        all[..bytes].CopyTo(page.AsSpan((int)offset));
    }

    private static ReadOnlySpan<byte> First(ulong index) => FirstContents.AsSpan((int)(index << Page.Shift), Page.Size);
}
