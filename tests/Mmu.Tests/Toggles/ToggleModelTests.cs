namespace Userfault.Mmu.Tests;

/// <summary>
/// USERFAULT and LOG_DIRTY_PAGES toggled in any order between accesses, bits and dirty logs, on slots of every kind,
/// against a model without page tables: outcomes, dirty logs and, every so often, each page's leaf must agree.
/// </summary>
public sealed class ToggleModelTests
{
    private const int Operations = 3_000;

    private static readonly DirtyLogProtect[] Protects =
    [
        DirtyLogProtect.None,
        DirtyLogProtect.Manual,
        DirtyLogProtect.Manual | DirtyLogProtect.InitiallySet,
    ];

    private static readonly (string Name, MmuPolicy Policy)[] Policies =
    [
        ("x86", MmuPolicy.X86),
        ("x86, split when written", MmuPolicy.X86 with { SplitsEagerly = false }),
        ("x86, hardware dirty log", MmuPolicy.X86 with { UsesHardwareDirtyLog = true }),
        (
            "x86, hardware, split when written",
            MmuPolicy.X86 with
            {
                UsesHardwareDirtyLog = true,
                SplitsEagerly = false,
            }
        ),
        ("x86, dropped to recover", MmuPolicy.X86 with { DropsTablesToRecover = true }),
        ("arm64", MmuPolicy.Arm64),
        ("arm64, eager", MmuPolicy.Arm64 with { SplitsEagerly = true }),
    ];

    public static TheoryData<int, DirtyLogProtect, MemslotFlags> Cases()
    {
        var data = new TheoryData<int, DirtyLogProtect, MemslotFlags>();
        for (var policy = 0; policy < Policies.Length; policy++)
        {
            foreach (var protect in Protects)
            {
                data.Add(policy, protect, MemslotFlags.None);
                data.Add(policy, protect, MemslotFlags.Readonly);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_order_of_toggles_agrees_with_the_tables(int policy, DirtyLogProtect protect, MemslotFlags flags) =>
        Go(policy, protect, flags, changesProtect: false);

    /// <summary>The same with manual protection turned on and off on the way.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void So_it_does_when_manual_protection_changes(int policy, DirtyLogProtect protect, MemslotFlags flags) =>
        Go(policy, protect, flags, changesProtect: true);

    private static void Go(int policy, DirtyLogProtect protect, MemslotFlags flags, bool changesProtect)
    {
        var seed = (policy * 100) + ((int)protect * 10) + (int)flags;
        var run = new Run(Policies[policy].Policy with { DirtyLogProtect = protect }, flags, seed, changesProtect);
        try
        {
            run.Go(Operations);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InvalidOperationException(
                $"{Policies[policy].Name}, {protect}, {flags}, seed {seed}, operation {run.Done}: {run.Last}",
                error
            );
        }
        finally
        {
            run.Dispose();
        }
    }

    private sealed class Run : IDisposable
    {
        private readonly TestVm _vm;
        private readonly NaiveSlot _naive;
        private readonly Random _random;
        private readonly MemslotFlags _fixed;
        private readonly bool _changesProtect;

        public Run(MmuPolicy policy, MemslotFlags flags, int seed, bool changesProtect)
        {
            _changesProtect = changesProtect;
            _vm = new TestVm(policy, flags);
            _naive = new NaiveSlot(policy, flags, TestVm.Pages);
            _naive.Start();
            _fixed = flags;
            _random = new Random(seed);
        }

        public int Done { get; private set; }

        public string Last { get; private set; } = "";

        public void Go(int operations)
        {
            for (; Done < operations; Done++)
            {
                Step();
                if (Done % 100 == 0)
                    CompareLeaves();
            }

            CompareLeaves();
        }

        public void Dispose() => _vm.Dispose();

        private void Step()
        {
            if (_changesProtect && _random.Next(20) == 0)
                SetProtect(Protects[_random.Next(Protects.Length)]);
            var page = (ulong)_random.Next((int)TestVm.Pages);
            switch (_random.Next(100))
            {
                case < 60:
                    Access(page, (Access)(1 << _random.Next(3)));
                    break;
                case < 70:
                    Last = $"set {page}";
                    _vm.Bitmap.Set(page);
                    _naive.Bits.Add(page);
                    break;
                case < 82:
                    Last = $"clear {page}";
                    Assert.Equal(_naive.Bits.Remove(page), _vm.Bitmap.Clear(page));
                    break;
                case < 88:
                    SetFlags(_naive.Flags ^ MemslotFlags.LogDirtyPages);
                    break;
                case < 92:
                    SetFlags(_naive.Flags ^ MemslotFlags.Userfault);
                    break;
                case < 93:
                    SetFlags(_fixed | (MemslotFlags)(_random.Next(2) | _random.Next(2) << 3));
                    break;
                case < 97:
                    GetDirtyLog();
                    break;
                default:
                    ClearDirtyLog();
                    break;
            }
        }

        private void Access(ulong page, Access kind)
        {
            Last = $"{kind} {page}, flags {_naive.Flags}";
            var expected = _naive.Access(page, kind);
            var result = _vm.Access(page, kind);
            Assert.Equal(expected, result.Fault.Kind);
            Assert.Equal(expected is FaultKind.None or FaultKind.Mapped, result.IsCompleted);
        }

        private void SetFlags(MemslotFlags flags)
        {
            Last = $"flags {_naive.Flags} to {flags}";
            _vm.SetFlags(flags);
            _naive.SetFlags(flags);
        }

        private void SetProtect(DirtyLogProtect protect)
        {
            Last = $"manual protection {protect}";
            Assert.Equal(Errno.None, _vm.Vm.EnableCap(VmCapability.ManualDirtyLogProtect2, argument: (ulong)protect));
            _naive.SetProtect(protect);
        }

        private void GetDirtyLog()
        {
            Last = "get dirty log";
            if (_naive.Dirty is null)
                Assert.Equal(Errno.ENOENT, _vm.Vm.GetDirtyLog(TestVm.Slot, new ulong[TestVm.Pages / 64]));
            else
                Assert.Equal(_naive.GetDirtyLog(), _vm.GetDirtyLog());
        }

        private void ClearDirtyLog()
        {
            var first = (ulong)_random.Next((int)TestVm.Pages / 64);
            var mask = new ulong[1 + _random.Next(4)];
            var words = Math.Min((ulong)mask.Length, (TestVm.Pages / 64) - first);
            foreach (ref var word in mask.AsSpan())
                word = (ulong)_random.NextInt64() & (ulong)_random.NextInt64();
            Last = $"clear dirty log from {first * 64}, {words} words";
            var errno = _vm.Vm.ClearDirtyLog(TestVm.Slot, first * 64, (uint)words * 64, mask);
            Assert.Equal(_naive.Dirty is null ? Errno.ENOENT : Errno.None, errno);
            if (_naive.Dirty is not null)
                _naive.Clear(TestVm.PagesOf(mask.AsSpan(0, (int)words)).Select(page => page + (first * 64)).ToArray());
        }

        private void CompareLeaves()
        {
            for (var page = 0UL; page < TestVm.Pages; page++)
            {
                var seen = _vm.Leaf(page);
                var leaf = _naive[page];
                var isSame = leaf is null
                    ? !seen.IsPresent
                    : seen.IsPresent
                        && (seen.Level == PageLevel.Size2M) == leaf.IsLarge
                        && seen.Permits(Mmu.Access.Write) == leaf.Permits(Mmu.Access.Write)
                        && seen.Permits(Mmu.Access.Execute) == leaf.Permits(Mmu.Access.Execute)
                        && seen.IsWriteProtected == leaf.IsProtected;
                if (!isSame)
                    Assert.Fail($"page {page} after {Last}: {seen}, expected {Describe(leaf)}");
            }
        }

        private static string Describe(NaiveSlot.Leaf? leaf) =>
            leaf is null
                ? "nothing"
                : $"large {leaf.IsLarge}, W {leaf.Permits(Mmu.Access.Write)}, X {leaf.Permits(Mmu.Access.Execute)}, "
                    + $"protected {leaf.IsProtected}";
    }
}
