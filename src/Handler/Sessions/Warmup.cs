using System.Reflection;
using System.Runtime.CompilerServices;
using Userfault.Fetch;
using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// Compiles everything that stands between a guest and its page before the first guest comes: else the first fault of a
/// process waits for the compiler, a hundred times longer than for its page.
/// </summary>
public static class Warmup
{
    private const ulong OwnPages = 1024;
    private static readonly TimeSpan OwnPatience = TimeSpan.FromSeconds(1);

    private const BindingFlags All =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Static
        | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Compiles what a handshake and a fault go through, in this room and below it. Takes some tenths of a second.
    /// </summary>
    public static void Run()
    {
        string[] below =
        [
            "Userfault.Pages.PageClaims",
            "Userfault.Pages.PushOrder",
            "Userfault.Pages.SequentialPush",
            "Userfault.Pages.OutwardPush",
            "Userfault.Pages.RecordedPush",
            "Userfault.Pages.FileImage",
            "Userfault.Pages.SyntheticImage",
            "Userfault.Pages.ZeroPage",
            "Userfault.Pages.LatencyHistogram",
        ];
        foreach (var name in below)
            Prepare(typeof(Pages.PushOrder).Assembly.GetType(name));
        foreach (var type in typeof(FetchCore).Assembly.GetTypes())
            Prepare(type);
        foreach (var name in (string[])["UserfaultBitmap", "BitmapWords", "WordScan", "MemoryPage", "MemoryPageRange"])
            Prepare(typeof(Mmu.Page).Assembly.GetType($"Userfault.Mmu.{name}"));
        foreach (
            var type in (Type[])
                [
                    typeof(VmSession),
                    typeof(VmPager),
                    typeof(PageDelivery),
                    typeof(PageFeed),
                    typeof(ImageFeed),
                    typeof(ChunkedImageFeed),
                    typeof(SourceFeed),
                    typeof(Placement),
                    typeof(ThreadedPlacement),
                    typeof(CopyPlacement),
                    typeof(HugePlacement),
                    typeof(GuestMemfdPlacement),
                    typeof(FilePlacement),
                    typeof(MemoryFile),
                    typeof(CopyThreads),
                    typeof(DeferredFaults),
                    typeof(FaultKey),
                    typeof(FutileFaults),
                    typeof(LeftPages),
                    typeof(PageMap),
                    typeof(ImageIndex),
                    typeof(ImageRuns),
                    typeof(RegionMap),
                    typeof(PendingFaults),
                    typeof(Fetches),
                    typeof(MonitorSide),
                    typeof(RequestingMonitor),
                    typeof(VmState),
                    typeof(PagerCounters),
                    typeof(Userfaultfd),
                    typeof(UffdMessage),
                    typeof(UffdResult),
                    typeof(Libc),
                    typeof(Handshake),
                    typeof(RegionList),
                    typeof(GuestRegion),
                    typeof(JsonCutter),
                    typeof(VmDescriptors),
                    typeof(PageSupply),
                ]
        )
        {
            Prepare(type);
        }
        BindCalls();
    }

    /// <summary>
    /// Serves a VM of this process's own for a moment, from its handshake on, by the way that real ones are served:
    /// what is compiled for the types in use, and the first answer of a page source, do not wait for a guest. Where
    /// there is no userfaultfd, or no source in time, nothing is lost.
    /// </summary>
    /// <param name="pages">Where pages come from.</param>
    /// <param name="options">How VMs are served.</param>
    public static void Serve(PageSupply pages, HandlerOptions options)
    {
        ArgumentNullException.ThrowIfNull(pages);
        ArgumentNullException.ThrowIfNull(options);
        if (Userfaultfd.WhyNot() is not null)
            return;
        var count = Math.Min(pages.PageCount, OwnPages);
        using var memory = MemoryMapping.Anonymously(count << Mmu.Page.Shift);
        memory.ForbidHugePages();
        using var uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        using var supply = pages.Unrecorded();
        // Nobody hears of it, and this process is not to be stopped.
        using var server = new HandlerServer(supply, options with { Log = LineLog.None, StopsMonitors = false });
        var (mine, theirs) = UnixSocket.Pair();
        using (mine)
        {
            var session = server.Adopt(theirs);
            mine.Send(RegionList.Write([new GuestRegion(memory.Address, memory.Bytes, 0, Mmu.Page.Size)]), uffd.Fd);
            var touching = Touching(memory, count);
            _ = touching.Join(OwnPatience);
            session.Stop(handOver: true);
            _ = session.WaitForEnd(OwnPatience);
            // Whoever still sleeps gets zeros, and ends.
            uffd.Unregister(memory.Address, memory.Bytes);
            touching.Join();
        }
    }

    private static unsafe Thread Touching(MemoryMapping memory, ulong pages)
    {
        var start = memory.Start;
        var touching = new Thread(() =>
        {
            for (var page = pages; page-- > 0; )
                _ = NativeTouch.Read(start + (page << Mmu.Page.Shift));
        })
        {
            IsBackground = true,
            Name = "warm up touches",
        };
        touching.Start();
        return touching;
    }

    // The first call of each looks for its library's symbol: made on nothing, it fails at once, and has looked.
    private static unsafe void BindCalls()
    {
        byte nothing = 0;
        _ = Libc.Read(-1, &nothing, 1);
        _ = Libc.Ioctl(-1, 0, &nothing);
        _ = Libc.Fcntl(-1, Libc.F_GETFL, 0);
        FileStatus status;
        _ = Libc.StatX(-1, "", FileStatus.OfDescriptor, FileStatus.TypeAndSize, &status);
        _ = Libc.WriteAt(-1, &nothing, 1, 0);
        _ = Libc.Poll(null, 0, 0);
        _ = Libc.ReadLink("", &nothing, 1);
        _ = Errors.Last;
        using (var wake = new EventFd())
        {
            wake.Signal();
            _ = wake.Reset();
        }
    }

    private static void Prepare(Type? type)
    {
        if (type is null || type.ContainsGenericParameters || type.IsInterface)
            return;
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            if (method.IsAbstract || method.ContainsGenericParameters)
                continue;
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
        }
    }
}
