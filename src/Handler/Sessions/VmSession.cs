using System.Diagnostics;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// One VM from its handshake (or from the hands of a dead process) to its end, on a thread of its own.
/// </summary>
internal sealed class VmSession : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly HandlerServer _server;
    private readonly UnixSocket? _socket;
    private readonly Thread _thread;
    private readonly int _monitorPid;
    private readonly long _begun = Stopwatch.GetTimestamp();
    private VmDescriptors? _vm;
    private volatile VmPager? _pager;
    private volatile VmReport? _final;
    private volatile int _stopping;
    private volatile string? _lost;
    private byte[] _rest = [];

    /// <summary>A VM that connects now.</summary>
    public VmSession(HandlerServer server, int id, UnixSocket socket)
        : this(server, id) => (_socket, _monitorPid) = (socket, socket.PeerPid);

    /// <summary>A VM that another process has served.</summary>
    public VmSession(HandlerServer server, VmDescriptors vm)
        : this(server, vm.Id) => _vm = vm;

    private VmSession(HandlerServer server, int id)
    {
        (_server, Id) = (server, id);
        _thread = new Thread(Run) { IsBackground = true, Name = $"vm {id}" };
    }

    /// <summary>A number for messages.</summary>
    public int Id { get; }

    /// <summary>Has it opened all the descriptors that it will?</summary>
    public bool IsSettled => _pager is not null;

    /// <summary>Its descriptors while it is served; null before its handshake and after its end.</summary>
    public VmDescriptors? Served { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Asks it to end.</summary>
    public void Stop(bool handOver)
    {
        _stopping = handOver ? 2 : 1;
        _pager?.Stop(handOver);
    }

    /// <summary>Waits for its end for as long as pages come; false where none has for so long.</summary>
    public bool WaitForEnd(TimeSpan patience)
    {
        var (missing, since) = (Missing, Stopwatch.GetTimestamp());
        while (!_thread.Join(Look))
        {
            if (Missing is var now && now != missing)
                (missing, since) = (now, Stopwatch.GetTimestamp());
            else if (Stopwatch.GetElapsedTime(since) > patience)
                return false;
        }
        return true;
    }

    /// <summary>How it stands; null where it was refused, or has not begun.</summary>
    public VmReport? Report()
    {
        if (_final is { } final)
            return final;
        return _pager is { } pager && _vm is { } vm ? Report(pager, vm, PagerEnd.None) : null;
    }

    /// <summary>It did not stop in time: its guest must not be left hanging.</summary>
    public void Abandon()
    {
        if (_vm is not { } vm)
            return;
        _server.Log(Id, HandlerEvent.Failed, "its pages could not be put in place in time");
        StopMonitor(vm.Monitor);
    }

    private void Run()
    {
        try
        {
            if (_vm is not null || Begin())
                Serve(_vm!);
        }
        catch (Exception e)
        {
            // Nothing was served yet: the guest waits for somebody. And whatever it was, others are served by this
            // process.
            _server.Log(
                Id,
                HandlerEvent.Failed,
                e is LinuxException or ProtocolException or PagingException or IOException
                    ? e.Message
                    : $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}"
            );
            if (_vm is not null)
                StopMonitor(_vm.Monitor);
        }
        finally
        {
            Dispose();
            _server.Ended(this);
        }
    }

    /// <summary>Closes all descriptors; the session's own thread does so at its end.</summary>
    public void Dispose()
    {
        _vm?.Dispose();
        _socket?.Dispose();
    }

    private bool Begin()
    {
        var handedOver = false;
        PidFd? monitor = null;
        try
        {
            monitor = OpenMonitor();
            var lost = _server.Pages.WhyNot();
            if (lost is not null)
                _server.Log(Id, HandlerEvent.ImageChanged, $"process {_monitorPid}: {lost}");
            var handshake = Handshake.Receive(
                _socket!,
                _server.Options.HandshakeTimeout,
                _server.Pages.PageCount,
                ref handedOver
            );
            if (lost is not null)
                throw new ProtocolException(lost);
            var state = VmState.Create(handshake.Map.PageLimit, _server.Pages.Identity);
            foreach (var region in handshake.Map.Regions)
                state.Missing.SetRange(region.Pages.Start.Value, region.Pages.Count);
            _vm = new VmDescriptors(
                Id,
                handshake.Uffd,
                handshake.Map,
                state,
                _socket!,
                monitor,
                handshake.Memfd,
                file: handshake.File
            );
            _rest = handshake.Rest;
            return true;
        }
        catch (Exception e) when (e is ProtocolException or LinuxException)
        {
            _server.Reject($"vm {Id}", _socket!, handedOver, monitor, e.Message);
            monitor?.Dispose();
            return false;
        }
    }

    // Whoever connected may have been a launcher that has ended already, while its child has the memory.
    private PidFd OpenMonitor()
    {
        try
        {
            return PidFd.Open(_monitorPid);
        }
        catch (LinuxException e) when (e.Error == LinuxErrno.ESRCH && _monitorPid > 0)
        {
            return PidFd.OfEnded();
        }
    }

    private void Serve(VmDescriptors vm)
    {
        using var recorder = _server.Pages.RecordTo is null ? null : new WorkingSetRecorder(_server.Pages.PageCount);
        using var pager = _server.Pages.Open(vm, _server.Options.Pager, recorder, _rest);
        pager.Notice = (what, line) => _server.Log(Id, EventOf(what), line);
        // What goes into a guest_memfd by a write is charged to who writes; a memory file has all of its pages, and
        // they are charged already; all else is charged to whose memory it is.
        if (
            vm.File is null
            && CgroupMemory.Of(vm.Memfd is null ? vm.Monitor.Number : Environment.ProcessId) is { } memory
        )
        {
            pager.Spare(memory, line => _server.Log(Id, HandlerEvent.PushStopped, line));
        }
        _pager = pager;
        Served = vm;
        _server.Began(this, vm);
        if (_stopping != 0)
            pager.Stop(_stopping == 2);
        _server.Pages.Follow(Lose);
        var end = pager.Run();
        _server.Pages.Unfollow(Lose);
        if (_lost is not null)
            end = PagerEnd.Failed;
        _final = Report(pager, vm, end);
        Served = null;
        // Before anything else: its guest waits.
        if (end == PagerEnd.Failed)
            GiveUp(vm, pager);
        if (recorder is not null && _server.Pages.SaveRecord(recorder) is { } problem)
            _server.Log(Id, HandlerEvent.NotRecorded, problem);
        if (end != PagerEnd.Failed)
            _server.Log(Id, HandlerEvent.Ended, Describe(end, pager));
    }

    private void GiveUp(VmDescriptors vm, VmPager pager)
    {
        if (_lost is { } lost)
        {
            // The standby serves the same image, so it could not serve these pages either.
            _server.Log(Id, HandlerEvent.ImageChanged, $"{pager.Counters.MissingPages} pages cannot be served: {lost}");
            StopMonitor(vm.Monitor);
            return;
        }

        if (_server.TryHandOver(Id))
        {
            _server.Log(Id, HandlerEvent.TakenOver, $"{pager.Reason}; the standby goes on");
            return;
        }

        _server.Log(Id, HandlerEvent.Failed, $"cannot be served: {pager.Reason}");
        StopMonitor(vm.Monitor);
    }

    // A guest that has all of its pages needs the image no more.
    private void Lose(string why)
    {
        if (Missing == 0)
            return;
        _lost = why;
        _pager?.Stop(handOver: true);
    }

    private long Missing => _pager?.Counters.MissingPages ?? 0;

    private long ElapsedNs => (long)Stopwatch.GetElapsedTime(_begun).TotalNanoseconds;

    private VmReport Report(VmPager pager, VmDescriptors vm, PagerEnd end)
    {
        ulong pages = 0;
        foreach (var region in vm.Map.Regions)
            pages += region.Pages.Count;
        return new VmReport(
            Id,
            _monitorPid,
            pages,
            vm.Memfd is not null,
            end,
            _lost ?? pager.Reason,
            pager.Counters,
            pager.Latency(),
            pager.AllocatedBytes,
            ElapsedNs,
            pager.CompleteNs
        );
    }

    private static string Describe(PagerEnd end, VmPager pager)
    {
        var c = pager.Counters;
        var what = end switch
        {
            PagerEnd.MonitorGone => "the monitor ended",
            PagerEnd.Completed => "complete, and released",
            _ => "left to the standby",
        };
        return $"{what}; {c.Faults + c.Requests} faults, {c.DemandPages} pages for them, {c.BackgroundPages} pushed, "
            + $"{c.RemovedPages} given back, {c.MissingPages} not fetched";
    }

    private static HandlerEvent EventOf(PagerNotice notice) =>
        notice switch
        {
            PagerNotice.MemoryShort => HandlerEvent.MemoryShort,
            PagerNotice.MemoryBack => HandlerEvent.MemoryBack,
            PagerNotice.WriteProtected => HandlerEvent.WriteProtected,
            _ => HandlerEvent.OwnerUnknown,
        };

    // Whoever it is that has the memory must not hang, nor read zeros.
    private static bool TryPoison(VmDescriptors vm)
    {
        var isAnyPoisoned = false;
        foreach (var absent in (UserfaultBitmap[])[vm.State.Missing, vm.State.Removed])
        {
            for (var page = absent.FindNextSet(0); page < vm.Map.PageLimit; )
            {
                var first = new MemoryPage(page & ~(vm.Map.PagesPerGranule - 1));
                if (vm.Map.TryAtPage(first, out var region))
                    isAnyPoisoned |= vm.Uffd.Poison(region.AddressOf(first), region.PageBytes).IsComplete;
                page = first.Value + vm.Map.PagesPerGranule;
                page = page < vm.Map.PageLimit ? absent.FindNextSet(page) : page;
            }
        }
        return isAnyPoisoned;
    }

    private void StopMonitor(PidFd monitor)
    {
        if (!_server.Options.StopsMonitors || _server.StopMonitor($"vm {Id}", monitor) || _vm is not { } vm)
            return;
        if (vm.Uffd.Probe(vm.Map.Regions[0].Start, vm.Map.Regions[0].Bytes) == LinuxErrno.ESRCH)
            return;
        _server.Log(
            Id,
            HandlerEvent.MonitorStopped,
            $"process {_monitorPid}, which connected, has ended, and the process that has the memory is not known: "
                + (TryPoison(vm) ? "it gets SIGBUS at its next missing page" : "it could not be stopped")
        );
    }
}
