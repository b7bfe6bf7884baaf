using Akka.Actor;
using Userfault.Actors;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>
/// A migration whose vCPUs are real: the actors as ever, and beside them the machine, a thread a vCPU and the watcher
/// of the userfaultfd. Nothing here can hang: what does not move is stopped, and says so.
/// </summary>
internal sealed class KvmSession : IAsyncDisposable
{
    private readonly KvmSetup _setup;
    private readonly RunInputs _inputs;
    private readonly KvmGuestMemory _memory;
    private readonly KvmMachine _machine;
    private readonly List<VcpuThread> _threads;
    private readonly FaultWatcher? _watcher;
    private readonly bool _fetchesAll;
    private long _events;
    private long _lastMoved;
    private long _lastMovedAt;

    /// <param name="system">The actor system, which ends with the session.</param>
    /// <param name="inputs">What it works on, with memory of <see cref="KvmGuestMemory"/>.</param>
    /// <param name="run">How its actors run.</param>
    /// <param name="setup">How the VM is run; its mode is decided.</param>
    /// <param name="host">The VM; owned.</param>
    public KvmSession(ActorSystem system, RunInputs inputs, RunSettings run, KvmSetup setup, IKvmHost host)
    {
        (_setup, _inputs, _fetchesAll) = (setup, inputs, run.Migration.FetchAll);
        _memory = (KvmGuestMemory)inputs.Content.Memory;
        _machine = new KvmMachine(host, _memory, inputs.Workload.Vcpus, setup.Mode, setup.Ring, setup.HolePages);
        _threads =
        [
            .. Enumerable
                .Range(0, inputs.Workload.Vcpus)
                .Select(i => new VcpuThread(i, _machine, _memory, inputs.Content, inputs.Workload.Open(i))),
        ];
        Actors = new MigrationRun(
            system,
            inputs,
            run with
            {
                OtherVcpus = seat => KvmVcpuActor.Props(seat, _machine, _threads[seat.Number], Stop),
            }
        );
        if (_memory.Uffd is { } uffd)
            _watcher = new FaultWatcher(uffd, OnFault);
    }

    /// <summary>The actors' half: fetchers are added there.</summary>
    public MigrationRun Actors { get; }

    /// <summary>Runs to the report.</summary>
    /// <exception cref="CliException">Not even a report came.</exception>
    public async Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled)
    {
        _lastMovedAt = TimeProvider.System.GetTimestamp();
        using var stuck = new CancellationTokenSource();
        using var watchdog = new Timer(
            _ => LookForMovement(stuck),
            null,
            TimeSpan.FromMilliseconds(250),
            TimeSpan.FromMilliseconds(250)
        );
        try
        {
            var report = await Actors.Run(progress, cancelled).WaitAsync(stuck.Token);
            return report with { HasRealGuest = true, GuestLeaves = _machine.CountLeaves() };
        }
        catch (OperationCanceledException)
        {
            throw new CliException(
                $"the run stood still for {Units.Duration(2 * _setup.WatchdogNs)} and gave no report"
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var thread in _threads)
            thread.Stop();
        _watcher?.Dispose();
        // Who still sleeps in the kernel goes on, on zeros, and finds that it is to stop.
        _memory.LetGo();
        await Actors.DisposeAsync();
        var haveEnded = _threads.TrueForAll(t => t.Join());
        foreach (var thread in _threads)
            thread.Dispose();
        if (haveEnded)
            _machine.Dispose();
        else
            _memory.Keep();
    }

    private void OnFault(UffdMessage message)
    {
        Interlocked.Increment(ref _events);
        var page = _memory.PageAt(message.Address);
        var access = (message.Flags & UffdMessage.FlagWrite) != 0 ? Access.Write : Access.Read;
        foreach (var thread in _threads)
        {
            if (thread.Id != message.ThreadId)
                continue;
            thread.OnUffd(KvmGuestMemory.FrameOf(page), access);
            return;
        }

        Stop($"thread {message.ThreadId}, which is no vCPU, touched {page} before it was in place");
    }

    private void Stop(string why) => Actors.Stop(why);

    private void LookForMovement(CancellationTokenSource stuck)
    {
        var moved = _memory.Count + Volatile.Read(ref _events) + _threads.Sum(t => t.Accesses + t.Mmio);
        var isOver = _threads.TrueForAll(t => t.HasEnded) && (!_fetchesAll || (ulong)_memory.Count >= Present());
        if (moved != _lastMoved || isOver)
        {
            (_lastMoved, _lastMovedAt) = (moved, TimeProvider.System.GetTimestamp());
            return;
        }

        var stillNs = TimeProvider.System.GetElapsedTime(_lastMovedAt).TotalNanoseconds;
        if (stillNs > 2 * _setup.WatchdogNs)
            stuck.Cancel();
        else if (stillNs > _setup.WatchdogNs)
            Stop($"no vCPU moved and no page came for {Units.Duration(_setup.WatchdogNs)}");
    }

    private ulong Present() => _inputs.Regions.Aggregate(0UL, static (sum, region) => sum + region.Count);
}
