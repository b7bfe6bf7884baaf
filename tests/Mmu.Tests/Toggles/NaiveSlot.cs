namespace Userfault.Mmu.Tests;

/// <summary>
/// A memslot as the specification's tables say it, without any page table: one record for each page that is mapped, and
/// rules that are read off the page. Host and slot are 2 MiB aligned throughout.
/// </summary>
public sealed class NaiveSlot(MmuPolicy policy, MemslotFlags flags, ulong pages)
{
    private const ulong PagesPerBlock = 512;
    private readonly Leaf?[] _leaves = new Leaf?[pages];
    private readonly bool _isX86 = policy.Architecture == Architecture.X86;

    public HashSet<ulong> Bits { get; } = [];

    public HashSet<ulong>? Dirty { get; private set; }

    public MemslotFlags Flags { get; private set; } = flags;

    private bool Logs => (Flags & MemslotFlags.LogDirtyPages) != 0;

    private bool IsReadonly => (Flags & MemslotFlags.Readonly) != 0;

    private bool IsUserfault => (Flags & MemslotFlags.Userfault) != 0;

    // arm64 does not count a READONLY slot as logging.
    private bool IsSmallOnly => IsUserfault || (Logs && (_isX86 || !IsReadonly));

    private bool ManualProtect => policy.DirtyLogProtect != DirtyLogProtect.None;

    private bool StartsDirty => (policy.DirtyLogProtect & DirtyLogProtect.InitiallySet) != 0;

    public Leaf? this[ulong page] => _leaves[page];

    public void Start()
    {
        if (Logs)
            Dirty = NewDirty();
    }

    public FaultKind Access(ulong page, Access kind)
    {
        var end = Fault(page, kind);
        if (end is FaultKind.None or FaultKind.Mapped && kind == Mmu.Access.Write && policy.UsesHardwareDirtyLog)
            LogByHardware(page);
        return end;
    }

    public void SetFlags(MemslotFlags flags)
    {
        var changed = Flags ^ flags;
        Flags = flags;
        if ((changed & MemslotFlags.LogDirtyPages) != 0)
            ToggleLogging();
        if ((changed & MemslotFlags.Userfault) == 0)
            return;
        if (IsUserfault)
            Array.Clear(_leaves);
        else if (_isX86 && !Logs)
            Recover();
    }

    /// <summary>User space enables KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 with other options.</summary>
    public void SetProtect(DirtyLogProtect protect) => policy = policy with { DirtyLogProtect = protect };

    public void Zap() => Array.Clear(_leaves);

    public ulong[] GetDirtyLog()
    {
        var log = Dirty!.Order().ToArray();
        if (!ManualProtect)
            Clear(log);
        return log;
    }

    /// <summary>Clears those of the pages that are dirty, and protects them again.</summary>
    public void Clear(IEnumerable<ulong> cleared)
    {
        foreach (var word in cleared.Where(Dirty!.Remove).GroupBy(page => page / 64).ToArray())
        {
            var (first, last) = (word.Min(), word.Max());
            if (StartsDirty && policy.SplitsEagerly && _isX86)
                SplitBetween(first, last);
            if (!policy.UsesHardwareDirtyLog)
            {
                // x86 protects huge leaves only where a log starts all dirty; arm64 always.
                foreach (var page in _isX86 ? word : Between(first, last))
                {
                    if (!_isX86 || StartsDirty || _leaves[page] is { IsLarge: false })
                        Protect(page);
                }
            }
            else if (StartsDirty)
            {
                foreach (var page in Between(first, last).Where(page => _leaves[page] is { IsLarge: true }))
                    Protect(page);
            }

            if (StartsDirty && policy.SplitsEagerly && !_isX86)
                SplitBetween(first, last);
        }
    }

    private static IEnumerable<ulong> Between(ulong first, ulong last)
    {
        for (var page = first; page <= last; page++)
            yield return page;
    }

    private static IEnumerable<ulong> BlockOf(ulong page) =>
        Between(page / PagesPerBlock * PagesPerBlock, (page / PagesPerBlock * PagesPerBlock) + PagesPerBlock - 1);

    private FaultKind Fault(ulong page, Access kind)
    {
        var leaf = _leaves[page];
        if (leaf is not null && leaf.Permits(kind))
            return FaultKind.None;
        var isWrite = kind == Mmu.Access.Write;
        if (_isX86 && isWrite && leaf is { IsProtected: true } && !(leaf.IsLarge && Logs))
        {
            leaf.Unprotect();
            Dirty?.Add(page);
            return FaultKind.Mapped;
        }

        if (!_isX86 && isWrite && IsReadonly)
            return FaultKind.Mmio;
        if (IsUserfault && Bits.Contains(page))
            return FaultKind.MemoryFaultExit;
        if (isWrite && IsReadonly)
            return FaultKind.Mmio;
        Install(page, kind, isWrite);
        return FaultKind.Mapped;
    }

    private void Install(ulong page, Access kind, bool isWrite)
    {
        var isWritable = !IsReadonly && (isWrite || _isX86 || !Logs);
        var leaf = new Leaf(!IsSmallOnly, isWritable, _isX86 || kind == Mmu.Access.Execute);
        if (leaf.IsLarge)
        {
            if (_leaves[page] is { IsLarge: true } old)
                leaf.Merge(old);
            foreach (var other in BlockOf(page))
                _leaves[other] = leaf;
        }
        else
        {
            if (_leaves[page] is { IsLarge: true } large)
            {
                foreach (var other in BlockOf(page))
                    _leaves[other] = _isX86 ? large.Small() : null;
            }

            if (_leaves[page] is { } old)
                leaf.Merge(old);
            _leaves[page] = leaf;
        }

        if (isWritable)
            Dirty?.Add(page);
    }

    private void ToggleLogging()
    {
        Dirty = Logs ? NewDirty() : null;
        if (IsReadonly)
            return;
        if (!Logs)
        {
            if (_isX86 && !IsUserfault)
                Recover();
            return;
        }

        if (StartsDirty)
            return;
        if (policy.SplitsEagerly)
            SplitBetween(0, pages - 1);
        for (var page = 0UL; page < pages; page++)
        {
            if (!policy.UsesHardwareDirtyLog || _leaves[page] is { IsLarge: true })
                Protect(page);
        }
    }

    private HashSet<ulong> NewDirty() => StartsDirty ? [.. Between(0, pages - 1)] : [];

    /// <summary>Through a huge leaf that is writable in a logging slot, hardware logs nothing.</summary>
    private void LogByHardware(ulong page)
    {
        if (_leaves[page] is not { IsLarge: true })
            Dirty?.Add(page);
    }

    private void Protect(ulong page) => _leaves[page]?.Protect();

    private void SplitBetween(ulong first, ulong last)
    {
        foreach (var page in Between(first, last))
        {
            if (_leaves[page] is not { IsLarge: true } large)
                continue;
            foreach (var other in BlockOf(page))
                _leaves[other] = large.Small();
        }
    }

    private void Recover()
    {
        for (var start = 0UL; start < pages; start += PagesPerBlock)
        {
            var leaves = BlockOf(start).Select(page => _leaves[page]).OfType<Leaf>().ToArray();
            if (leaves.Length == 0 || leaves[0].IsLarge)
                continue;
            // A kernel before 6.13 drops them, and later faults map huge leaves; a newer one copies the first leaf.
            if (policy.DropsTablesToRecover)
            {
                foreach (var page in BlockOf(start))
                    _leaves[page] = null;
                continue;
            }

            var large = new Leaf(true, leaves[0].Permits(Mmu.Access.Write), true);
            large.IsProtected = !large.Permits(Mmu.Access.Write) && !IsReadonly;
            foreach (var page in BlockOf(start))
                _leaves[page] = large;
        }
    }

    /// <summary>A leaf; all pages of a large one share it.</summary>
    public sealed class Leaf(bool isLarge, bool isWritable, bool isExecutable)
    {
        public bool IsLarge { get; } = isLarge;

        public bool IsProtected { get; set; }

        private bool IsWritable { get; set; } = isWritable;

        private bool IsExecutable { get; set; } = isExecutable;

        public bool Permits(Access kind) =>
            kind == Mmu.Access.Read || (kind == Mmu.Access.Write ? IsWritable : IsExecutable);

        public void Protect()
        {
            IsProtected |= IsWritable;
            IsWritable = false;
        }

        public void Unprotect() => (IsWritable, IsProtected) = (true, false);

        /// <summary>A new leaf for the same frames takes no permission away.</summary>
        public void Merge(Leaf old)
        {
            IsWritable |= old.IsWritable;
            IsExecutable |= old.IsExecutable;
            IsProtected = old.IsProtected && !IsWritable;
        }

        public Leaf Small() => new(false, IsWritable, IsExecutable) { IsProtected = IsProtected };
    }
}
