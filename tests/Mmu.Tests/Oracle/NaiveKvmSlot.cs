namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// A slot of <see cref="NaiveKvm"/>: one leaf for each page that is mapped; the pages of a huge leaf share it.
/// </summary>
/// <param name="region">The call that made it.</param>
/// <param name="hva">Its host memory.</param>
/// <param name="bitmap">Its bitmap's address; 0 is none.</param>
public sealed class NaiveKvmSlot(KvmCall.SetRegion region, ulong hva, ulong bitmap)
{
    private const uint Log = RegionFlags.LogDirtyPages;
    private const uint Flag = RegionFlags.Userfault;
    private readonly Dictionary<ulong, Leaf> _leaves = [];

    public KvmCall.SetRegion Region { get; private set; } = region;

    public ulong Hva => hva;

    public ulong Bitmap { get; private set; } = bitmap;

    public HashSet<ulong>? Dirty { get; private set; }

    public uint Flags => Region.Flags;

    public ulong Pages => Region.Size / Page.Size;

    private bool Logs => (Flags & Log) != 0;

    private bool IsReadonly => (Flags & RegionFlags.ReadOnly) != 0;

    public void Zap() => _leaves.Clear();

    /// <summary>Begins or ends the log as the flags say. One that goes on is kept.</summary>
    public void StartLog(NaiveRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (!Logs)
            Dirty = null;
        else
            Dirty ??= rules.StartsDirty ? [.. All(0, Pages)] : [];
    }

    /// <summary>Moved: everything is new but the log.</summary>
    public void Become(KvmCall.SetRegion moved, ulong newBitmap, NaiveRules rules)
    {
        (Region, Bitmap) = (moved, newBitmap);
        StartLog(rules);
    }

    public void ChangeFlags(KvmCall.SetRegion changed, ulong newBitmap, NaiveRules rules)
    {
        ArgumentNullException.ThrowIfNull(changed);
        ArgumentNullException.ThrowIfNull(rules);
        var toggled = Flags ^ changed.Flags;
        (Region, Bitmap) = (changed, newBitmap);
        StartLog(rules);
        if ((toggled & Log) != 0 && Logs && !IsReadonly && !rules.StartsDirty)
            ProtectAll(rules);
        // Huge leaves come back when neither flag asks for small ones; READONLY slots never had small ones for a log.
        var isOver = (toggled & Flag) != 0 || ((toggled & Log) != 0 && !IsReadonly);
        var small = rules.Defect == NaiveDefect.RecoversBesideFlag ? Log : Log | Flag;
        if (isOver && (Flags & small) == 0)
            Recover(rules);
    }

    /// <summary>Clears pages, all of which are dirty.</summary>
    public void ClearLog(ulong[] cleared, NaiveRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(cleared);
        foreach (var word in cleared.GroupBy(page => page / 64))
        {
            if (rules.StartsDirty && rules.SplitsEagerly)
                Split(word.Min(), word.Max());
            foreach (var page in word)
            {
                Dirty!.Remove(page);
                if (!_leaves.TryGetValue(page, out var leaf))
                    continue;
                if (leaf.IsHuge ? rules.StartsDirty || rules.ProtectsHuge : !rules.LogsByHardware)
                    leaf.Protect();
            }

            // With hardware logs all huge leaves between the first and the last are protected.
            if (rules.LogsByHardware && (rules.StartsDirty || rules.ProtectsHuge))
            {
                foreach (var page in All(word.Min(), word.Max() + 1))
                {
                    if (_leaves.GetValueOrDefault(page) is { IsHuge: true } huge)
                        huge.Protect();
                }
            }
        }
    }

    public NaiveEnd Access(ulong page, Access kind, NaiveRules rules, Func<bool?> isSet, NaiveHostPage host)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(isSet);
        var isWrite = kind == Mmu.Access.Write;
        var leaf = _leaves.GetValueOrDefault(page);
        if (leaf is null || (isWrite && !leaf.IsWritable))
        {
            // A protected leaf is repaired, whatever its bit says.
            if (leaf is { IsProtected: true } && !(leaf.IsHuge && Logs))
            {
                leaf.Unprotect();
                Dirty?.Add(page);
                return NaiveEnd.Done;
            }

            if ((Flags & Flag) != 0)
            {
                if (isSet() is not { } bit)
                    return NaiveEnd.NoBit;
                if (bit)
                    return NaiveEnd.Userfault;
            }

            if (isWrite && IsReadonly)
                return NaiveEnd.Mmio;
            if (host == NaiveHostPage.None || (isWrite && host == NaiveHostPage.ReadOnly))
                return NaiveEnd.NoPage;
            Install(page, rules, isWritable: host == NaiveHostPage.Writable && !IsReadonly);
        }

        if (isWrite && rules.LogsByHardware && !_leaves[page].IsHuge)
            Dirty?.Add(page);
        return NaiveEnd.Done;
    }

    /// <summary>A read that faults although its page may be mapped.</summary>
    public NaiveEnd PreFault(ulong page, NaiveRules rules, Func<bool?> isSet, NaiveHostPage host)
    {
        ArgumentNullException.ThrowIfNull(isSet);
        if ((Flags & Flag) != 0 && isSet() is not false)
            return NaiveEnd.Userfault;
        return host == NaiveHostPage.None ? NaiveEnd.NoPage : Access(page, Mmu.Access.Read, rules, isSet, host);
    }

    private void Install(ulong page, NaiveRules rules, bool isWritable)
    {
        var small = rules.Defect == NaiveDefect.MapsHugeWithFlag ? Log : Log | Flag;
        if ((Flags & small) == 0 && rules.CanBeHuge(this, page))
        {
            var huge = new Leaf(isHuge: true, isWritable);
            foreach (var other in Block(page))
                _leaves[other] = huge;
        }
        else
        {
            if (_leaves.GetValueOrDefault(page) is { IsHuge: true })
                Split(page, page);
            _leaves[page] = new Leaf(isHuge: false, isWritable);
        }

        if (isWritable)
            Dirty?.Add(page);
    }

    private void ProtectAll(NaiveRules rules)
    {
        if (rules.SplitsEagerly)
            Split(0, Pages - 1);
        foreach (var leaf in _leaves.Values)
        {
            if (leaf.IsHuge || !rules.LogsByHardware)
                leaf.Protect();
        }
    }

    private void Recover(NaiveRules rules)
    {
        if (rules.Recovery == HugePageRecovery.None)
            return;
        foreach (var block in _leaves.Keys.Order().GroupBy(page => Block(page).First()).ToArray())
        {
            var first = _leaves[block.First()];
            if (first.IsHuge || !rules.CanBeHuge(this, block.First()))
                continue;
            var huge = new Leaf(isHuge: true, first.IsWritable) { IsProtected = first.IsProtected };
            foreach (var page in Block(block.Key))
            {
                if (rules.Recovery == HugePageRecovery.Drop)
                    _leaves.Remove(page);
                else
                    _leaves[page] = huge;
            }
        }
    }

    /// <summary>Makes the huge leaves small that hold any of these pages.</summary>
    private void Split(ulong first, ulong last)
    {
        foreach (var page in All(first, last + 1).Where(page => _leaves.GetValueOrDefault(page) is { IsHuge: true }))
        {
            var huge = _leaves[page];
            foreach (var other in Block(page))
                _leaves[other] = new Leaf(isHuge: false, huge.IsWritable) { IsProtected = huge.IsProtected };
        }
    }

    /// <summary>The pages of the slot that share 2 MiB of guest memory with one.</summary>
    private IEnumerable<ulong> Block(ulong page)
    {
        const ulong pages = 512;
        var skew = Region.Gpa / Page.Size % pages;
        var start = (page + skew) / pages * pages;
        return All(start < skew ? 0 : start - skew, Math.Min(start + pages - skew, Pages));
    }

    private static IEnumerable<ulong> All(ulong start, ulong end)
    {
        for (var page = start; page < end; page++)
            yield return page;
    }

    private sealed class Leaf(bool isHuge, bool isWritable)
    {
        public bool IsHuge { get; } = isHuge;

        public bool IsWritable { get; private set; } = isWritable;

        public bool IsProtected { get; set; }

        public void Protect()
        {
            IsProtected |= IsWritable;
            IsWritable = false;
        }

        public void Unprotect() => (IsWritable, IsProtected) = (true, false);
    }
}
