using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>Memory that is given back at the worst moment: between two pieces of a chunk.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class ChangingMemoryTests
{
    private static readonly int PatienceMs = Patience.OfMs(60_000);

    /// <summary>
    /// Two faults are read together, and one chunk is to serve both. Its first piece has the one's page; then the
    /// address space changes, and the piece with the other's page has to wait, with nobody left who would ask for it
    /// again.
    /// </summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_fault_is_not_lost_with_the_rest_of_its_chunk(int copyThreads)
    {
        Here.NeedsUserfaultfd();
        using var image = new HookedImage();
        using var supply = new PageSupply(image);
        using var rig = new HandlerRig(
            o =>
                o with
                {
                    Pager = new PagerSettings
                    {
                        ChunkPages = 64,
                        Push = null,
                        SpinNs = 0,
                        CopyThreads = copyThreads,
                    },
                },
            supply
        );
        using var vm = rig.Connect();
        Thread[] touchers = [Toucher(vm, 100), Toucher(vm, 2), Toucher(vm, 30)];
        var discard = new Thread(() =>
        {
            try
            {
                vm.Memory.Discard(200 << Page.Shift, 1 << Page.Shift);
            }
            catch (LinuxException)
            {
                // The memory is gone: the test has failed already, and says why itself.
            }
        });
        // The first fault keeps the pager until the other two wait.
        image.Before(
            100,
            () =>
            {
                touchers[1].Start();
                touchers[2].Start();
                Eventually.HoldsHere(() => Pending(vm.Uffd) == 2, () => $"{Pending(vm.Uffd)} faults wait");
            }
        );
        image.Before(
            HookedImage.Zeros + 1,
            () =>
            {
                discard.Start();
                var poll = new PollFd(vm.Uffd.Fd.Number, Libc.POLLIN);
                Assert.Equal(1, Libc.Poll(&poll, 1, PatienceMs));
            }
        );
        touchers[0].Start();
        var isServed =
            touchers[0].Join(PatienceMs)
            && touchers[1].Join(PatienceMs)
            && touchers[2].Join(PatienceMs)
            && discard.Join(PatienceMs);
        if (!isServed)
        {
            // Before their memory goes.
            vm.Uffd.Unregister(vm.Memory.Address, vm.Memory.Bytes);
            foreach (var toucher in touchers.Where(t => t.IsAlive))
                toucher.Join();
        }
        Assert.True(isServed, "a thread waits for its page, and nobody knows");
        Assert.Equal(
            (30ul, 100ul, 0ul),
            (NativeTouch.Read(vm.At(30)), NativeTouch.Read(vm.At(100)), NativeTouch.Read(vm.At(200)))
        );
    }

    /// <summary>
    /// The kernel hands over a fault ahead of the removal of its page. As soon as the removal is read the memory goes:
    /// what is put in place for the fault afterwards would be old content where the guest must find zeros.
    /// </summary>
    [SkippableFact]
    public void A_fault_that_is_read_with_the_removal_of_its_page_gets_zeros()
    {
        Here.NeedsUserfaultfd();
        using var image = new HookedImage();
        using var supply = new PageSupply(image);
        using var rig = new HandlerRig(HandlerRig.PageByPage, supply);
        using var vm = rig.Connect();
        Thread[] touchers = [Toucher(vm, 100), Toucher(vm, 200)];
        var discard = new Thread(() =>
        {
            try
            {
                vm.Memory.Discard(200 << Page.Shift, 1 << Page.Shift);
            }
            catch (LinuxException)
            {
                // The memory is gone: the test has failed already, and says why itself.
            }
        });
        // The first fault keeps the pager until both wait to be read.
        image.Before(
            100,
            () =>
            {
                discard.Start();
                var poll = new PollFd(vm.Uffd.Fd.Number, Libc.POLLIN);
                Assert.Equal(1, Libc.Poll(&poll, 1, PatienceMs));
                touchers[1].Start();
                Eventually.HoldsHere(() => Pending(vm.Uffd) == 1, () => $"{Pending(vm.Uffd)} faults wait");
            }
        );
        // Were the page read from the image all the same, it would come when the memory is gone.
        image.Before(200, () => discard.Join(PatienceMs));
        touchers[0].Start();
        Assert.True(
            touchers[0].Join(PatienceMs) && touchers[1].Join(PatienceMs) && discard.Join(PatienceMs),
            "a thread waits for its page"
        );
        Assert.Equal((100ul, 0ul), (NativeTouch.Read(vm.At(100)), NativeTouch.Read(vm.At(200))));
    }

    private static Thread Toucher(HandlerRig.GoodVm vm, ulong page)
    {
        var at = vm.At(page);
        return new Thread(() => NativeTouch.Read(at)) { IsBackground = true };
    }

    // Faults that nobody has read, as the kernel tells of a userfaultfd.
    private static int Pending(Userfaultfd uffd) =>
        File.ReadLines($"/proc/self/fdinfo/{uffd.Fd.Number}")
            .Where(line => line.StartsWith("pending:", StringComparison.Ordinal))
            .Select(line => int.Parse(line[8..], System.Globalization.CultureInfo.InvariantCulture))
            .Single();

    // Each page holds its number, but for some of zeros; and something may be done before one is read.
    private sealed class HookedImage : IMemoryImage
    {
        public const ulong Zeros = 11;
        private readonly SyntheticImage _like = new(new SyntheticSettings(HandlerRig.Pages));
        private readonly Dictionary<ulong, Action> _before = [];

        public string Name => "hooked";

        public ImageKind Kind => _like.Kind;

        public ulong Pages => HandlerRig.Pages;

        public ImageIdentity Identity => _like.Identity;

        /// <summary>Once, when the page is read.</summary>
        public void Before(ulong page, Action action)
        {
            lock (_before)
                _before.Add(page, action);
        }

        public byte* Read(MemoryPage memoryPage, byte* scratch)
        {
            Action? action;
            lock (_before)
                _before.Remove(memoryPage.Value, out action);
            action?.Invoke();
            if (memoryPage.Value - Zeros < 5)
                return null;
            new Span<byte>(scratch, Page.Size).Clear();
            *(ulong*)scratch = memoryPage.Value;
            return scratch;
        }

        public void Dispose() => _like.Dispose();
    }
}
