using Userfault.Fetch;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// Guests that touch, write, give back and unmap their memory in random orders, held against what they must find. Each
/// thread has pages of its own, scattered among those of the others, so that chunks and pushes reach into everything.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class MemoryFuzzTests
{
    private const int Threads = 4;
    private const int Steps = 300;

    [SkippableTheory]
    [InlineData(1, 1, false, false, MemoryKind.Private)]
    [InlineData(2, 64, false, false, MemoryKind.Private)]
    [InlineData(3, 64, true, false, MemoryKind.Private)]
    [InlineData(4, 16, true, false, MemoryKind.Private)]
    [InlineData(5, 1, false, true, MemoryKind.Private)]
    [InlineData(6, 64, true, true, MemoryKind.Private)]
    [InlineData(7, 16, true, true, MemoryKind.Private)]
    [InlineData(8, 1, false, false, MemoryKind.File)]
    [InlineData(9, 64, true, false, MemoryKind.File)]
    [InlineData(10, 16, true, false, MemoryKind.File)]
    [InlineData(11, 64, false, true, MemoryKind.File)]
    [InlineData(12, 16, true, true, MemoryKind.File)]
    [InlineData(13, 16, true, false, MemoryKind.Holes)]
    [InlineData(14, 64, true, true, MemoryKind.Holes)]
    public void A_guest_finds_what_it_must(int seed, int chunk, bool push, bool fromSource, MemoryKind memory)
    {
        Here.NeedsUserfaultfd();
        using var sources = new SlowSource();
        using var rig = new HandlerRig(
            o =>
                o with
                {
                    Pager = new PagerSettings
                    {
                        ChunkPages = (ulong)chunk,
                        PushPages = 32,
                        Push = push ? PushOrderKind.Outward : null,
                    },
                },
            fromSource ? sources.Supply : null
        );
        using var vm = rig.Connect(memory, UffdFeatures.EventRemove | UffdFeatures.EventUnmap);
        var wrong = new string?[Threads];
        var threads = Enumerable
            .Range(0, Threads)
            .Select(i => new Thread(() => wrong[i] = new Guest(vm, seed, i).Run()))
            .ToList();
        threads.ForEach(t => t.Start());
        var areServed = threads.TrueForAll(t => t.Join(120_000));
        if (!areServed)
        {
            // Before their memory goes.
            vm.Uffd.Unregister(vm.Memory.Address, vm.Memory.Bytes);
            threads.ForEach(t => t.Join());
        }
        Assert.True(areServed, $"seed {seed}: a thread waits for a page that does not come");
        Assert.All(wrong, w => Assert.True(w is null, $"seed {seed}: {w}"));
        var report = rig.Server.Report().Single();
        Assert.True(report is { End: PagerEnd.None, Reason: null }, $"seed {seed}: {report.Reason}");
    }

    /// <summary>One thread of a guest, and what each of its pages must hold.</summary>
    private sealed class Guest(HandlerRig.GoodVm vm, int seed, int index)
    {
        private readonly Random _random = new((seed * 1000) + index);
        private readonly Dictionary<ulong, ulong> _stamps = [];
        private readonly HashSet<ulong> _zero = [];
        private readonly HashSet<ulong> _replaced = [];
        private readonly List<string> _done = [];

        /// <summary>What was wrong; null where nothing was.</summary>
        public string? Run()
        {
            for (var step = 0; step < Steps; step++)
            {
                var page = ((ulong)_random.Next((int)HandlerRig.Pages / Threads) * Threads) + (ulong)index;
                var (name, isRight) = Step(page);
                _done.Add($"{name} {page}");
                if (!isRight)
                    return $"page {page} is wrong after {string.Join(", ", _done.TakeLast(12))}";
            }
            for (var page = (ulong)index; page < HandlerRig.Pages; page += Threads)
            {
                if (!Holds(page))
                    return $"page {page} is wrong at the end";
            }
            return null;
        }

        private (string Name, bool IsRight) Step(ulong page)
        {
            switch (_random.Next(16))
            {
                case < 8:
                    return ("read", Holds(page));
                case < 12:
                    var stamp = (ulong)_random.NextInt64();
                    NativeTouch.Write(vm.At(page), stamp);
                    _stamps[page] = stamp;
                    return ("write", true);
                case < 15:
                    // What has come in its place is private.
                    if (_replaced.Contains(page))
                        vm.Memory.Discard(page << Page.Shift, Page.Size);
                    else
                        vm.GiveBack(page, 1);
                    Forget(page);
                    return ("give back", true);
                default:
                    // Other memory in its place, so that nothing else of this process can come to lie there.
                    const int replace = 0x10 | 0x02 | 0x20;
                    var isThere = Libc.Map(vm.At(page), Page.Size, 3, replace, -1, 0) == vm.At(page);
                    _replaced.Add(page);
                    Forget(page);
                    return ("unmap", isThere);
            }
        }

        private void Forget(ulong page)
        {
            _stamps.Remove(page);
            _zero.Add(page);
        }

        private bool Holds(ulong page) =>
            _stamps.TryGetValue(page, out var stamp) ? NativeTouch.Read(vm.At(page)) == stamp
            : _zero.Contains(page) ? vm.IsZero(page)
            : vm.IsRight(page);
    }

    /// <summary>The rig's image behind a way of 30 us.</summary>
    private sealed class SlowSource : IDisposable
    {
        private readonly SyntheticImage _image = new(new SyntheticSettings(HandlerRig.Pages));
        private readonly SpinningPump _pump = new();
        private readonly LocalPageSource _source;

        public SlowSource()
        {
            _source = new LocalPageSource(
                _image,
                new LocalSourceSettings { Link = new LinkSettings(30_000), RememberedContents = 0 },
                _pump.Wake
            );
            _pump.Add(_source);
            var set = new SourceSet(TimeProvider.System.GetTimestamp);
            set.Add(_source);
            Supply = new PageSupply(set, _image.Identity, _image.Pages, _image.Name);
        }

        public PageSupply Supply { get; }

        public void Dispose()
        {
            Supply.Dispose();
            _pump.Dispose();
            _source.Dispose();
            _image.Dispose();
        }
    }
}
