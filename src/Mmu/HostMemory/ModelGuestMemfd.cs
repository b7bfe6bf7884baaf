namespace Userfault.Mmu;

/// <summary>A guest_memfd for tests and simulation: a run of frames, bound to slots as in the kernel.</summary>
/// <param name="firstPfn">Frame of page 0.</param>
/// <param name="sizePages">Size of the file in pages.</param>
/// <param name="level">Maximum size of the file's pages.</param>
public sealed class ModelGuestMemfd(Pfn firstPfn, ulong sizePages, PageLevel level = PageLevel.Size4K) : IGuestMemfd
{
    private readonly List<(SlotId Slot, GfnRange Run)> _bindings = [];
    private readonly HashSet<ulong> _poisoned = [];

    /// <summary>Number of bound slots.</summary>
    public int Bindings => _bindings.Count;

    /// <inheritdoc/>
    public Errno Bind(SlotId slot, ulong firstPage, ulong pages)
    {
        // File pages are not guest frames, but the arithmetic on runs is the same.
        var run = new GfnRange(new Gfn(firstPage), pages);
        if (pages > sizePages || firstPage > sizePages - pages)
            return Errno.EINVAL;
        foreach (var binding in _bindings)
        {
            if (binding.Run.Overlaps(run))
                return Errno.EINVAL;
        }

        _bindings.Add((slot, run));
        return Errno.None;
    }

    /// <inheritdoc/>
    public void Unbind(SlotId slot) => _bindings.RemoveAll(binding => binding.Slot == slot);

    /// <summary>Gives a page of the file a hardware error.</summary>
    public void Poison(ulong index) => _poisoned.Add(index);

    /// <inheritdoc/>
    public HostPageStatus GetPage(ulong index, out HostPage page)
    {
        page = default;
        if (index >= sizePages)
            return HostPageStatus.Unavailable;
        if (_poisoned.Count != 0 && _poisoned.Contains(index))
            return HostPageStatus.Poisoned;
        page = new HostPage(firstPfn.Plus(index), level, IsWritable: true);
        return HostPageStatus.Present;
    }
}
