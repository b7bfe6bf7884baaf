using Akka.Actor;
using Userfault.Actors;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Kvm;

/// <summary>
/// The thread of a real vCPU, which may block as an actor must not: in KVM_RUN while the guest runs, in userfaultfd
/// within it, or at its own gate while a page is fetched. It prepares batches of its stream's accesses, runs them,
/// checks the value of each read and records the value that each write replaced. It reports faults and its end to its
/// actor.
/// </summary>
internal sealed unsafe class VcpuThread : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly int _number;
    private readonly KvmMachine _machine;
    private readonly KvmGuestMemory _memory;
    private readonly IVcpuRunner _runner;
    private readonly GuestBatch _batch;
    private readonly IAccessStream _stream;
    private readonly GuestVerifier _checker;
    private readonly StampLedger _ledger;
    private readonly List<(Gfn Gfn, ulong Stamp, ulong Sequence)> _accesses = new(GuestBatch.Capacity);
    private readonly Thread _thread;
    private readonly object _gate = new();
    private IActorRef _actor = ActorRefs.Nobody;
    private ulong _sequence;
    private int _waiting;
    private Gfn _waitsFor;
    private bool _cannotBeKicked;
    private bool _isStarted;
    private bool _isPaused;
    private bool _isParked;
    private bool _isStopped;
    private bool _hasEnded;
    private long _reads;
    private long _writes;
    private long _wrongReads;
    private long _mmio;

    /// <summary>A thread that has not been started.</summary>
    /// <param name="number">The vCPU, from 0.</param>
    /// <param name="machine">The machine that it runs in.</param>
    /// <param name="memory">Guest memory.</param>
    /// <param name="content">The expected content of guest memory, and the record of writes.</param>
    /// <param name="stream">Its accesses, in order; due times are ignored.</param>
    public VcpuThread(int number, KvmMachine machine, KvmGuestMemory memory, GuestContent content, IAccessStream stream)
    {
        (_number, _machine, _memory, _stream) = (number, machine, memory, stream);
        (_runner, _batch) = (machine.Vcpus[number], machine.Batch(number));
        (_checker, _ledger) = (content.NewVerifier(), content.Ledger);
        _thread = new Thread(Main) { IsBackground = true, Name = $"vcpu-{number}" };
    }

    /// <summary>The thread id that events of a userfaultfd carry.</summary>
    public int Id => _runner.Thread;

    /// <summary>Number of completed accesses; a batch counts when it is complete.</summary>
    public long Accesses => Reads + Writes;

    public long Reads => Volatile.Read(ref _reads);

    public long Writes => Volatile.Read(ref _writes);

    public long WrongReads => Volatile.Read(ref _wrongReads);

    /// <summary>MMIO exits answered from memory.</summary>
    public long Mmio => Volatile.Read(ref _mmio);

    /// <summary>Has the stream ended, and have all its accesses been made?</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>Starts the thread, which waits for <see cref="Start"/> before it enters the guest.</summary>
    /// <param name="actor">Receives its reports.</param>
    public void Begin(IActorRef actor)
    {
        _actor = actor;
        _thread.Start();
    }

    /// <summary>Enter the guest.</summary>
    public void Start() => Change(() => _isStarted = true);

    /// <summary>A fault for which it waits at its gate is resolved.</summary>
    public void Resume() => Change(() => _waiting = Math.Max(0, _waiting - 1));

    /// <summary>Leave the guest and stay out. False if it has left already; no further report follows then.</summary>
    public bool Pause()
    {
        lock (_gate)
        {
            if (_hasEnded)
                return false;
            (_isPaused, _isParked) = (true, !_isStarted);
            if (_isParked)
                return false;
            Monitor.PulseAll(_gate);
        }

        _runner.Kick();
        return true;
    }

    /// <summary>Enter the guest again.</summary>
    public void Continue() => Change(() => _isPaused = false);

    /// <summary>
    /// A userfaultfd's event named this thread: reports it to the actor. In mode kick the vCPU must leave the guest.
    /// </summary>
    public void OnUffd(Gfn gfn, Access access)
    {
        if (_machine.Mode == KvmMode.Kick && !_cannotBeKicked)
        {
            lock (_gate)
            {
                if (_waiting > 0 && _waitsFor == gfn)
                {
                    // A second event for the same page after the kick. This host emulates the guest (CPL 0 on a nested
                    // host), and its accesses fault like the kernel's own: a pending signal does not end such an access
                    // but makes it fault again and again. From now on this vCPU is not kicked; it sleeps in userfaultfd
                    // until it is woken.
                    _memory.WakeAlways();
                    _cannotBeKicked = true;
                    return;
                }

                _waitsFor = gfn;
                _waiting++;
            }

            _runner.Kick();
        }

        Tell(gfn, access);
    }

    /// <summary>Requests the thread to end, wherever it is.</summary>
    public void Stop()
    {
        Change(() => _isStopped = true);
        _runner.Kick();
    }

    /// <summary>Waits for the thread's end. If it does not end, the resources that it uses must be kept.</summary>
    public bool Join() => !_thread.IsAlive || _thread.Join(Patience);

    public void Dispose() => _checker.Dispose();

    private void Main()
    {
        try
        {
            _runner.Adopt();
            // No page has been touched yet, so the thread's id is known before any event names it.
            while (PassGate() && Fill())
            {
                if (!RunBatch())
                    return;
                Check();
            }

            lock (_gate)
            {
                if (_isStopped)
                    return;
                _hasEnded = true;
                if (_isPaused)
                    _actor.Tell(KvmVcpuProtocol.Parked.Instance, ActorRefs.NoSender);
            }

            _actor.Tell(KvmVcpuProtocol.Finished.Instance, ActorRefs.NoSender);
        }
        catch (Exception e) when (e is LinuxException or InvalidOperationException)
        {
            _actor.Tell(new KvmVcpuProtocol.Broken($"vCPU {_number}: {e.Message}"), ActorRefs.NoSender);
        }
    }

    // False if there is nothing left to do.
    private bool Fill()
    {
        _batch.Clear();
        _accesses.Clear();
        var word = (ulong)StampMath.WordIndex(_number) * sizeof(ulong);
        while (_accesses.Count < GuestBatch.Capacity && _stream.TryNext(out var access))
        {
            // An instruction fetch is made as a read: the image's bytes are not code.
            var isWrite = access.Kind == Access.Write;
            var stamp = isWrite ? GuestStamp.Of(_number, ++_sequence).Word : 0;
            _batch.Add((access.Gfn.Value << Page.Shift) + word, isWrite, stamp);
            _accesses.Add((access.Gfn, stamp, _sequence));
        }

        return _accesses.Count > 0;
    }

    // False if the thread was stopped.
    private bool RunBatch()
    {
        while (true)
        {
            _runner.TakeKick();
            if (!PassGate())
                return false;
            var exit = _runner.Run();
            switch (exit.Kind)
            {
                case KvmExitKind.Io when exit.Port == GuestProgram.ReportPort:
                    return true;
                case KvmExitKind.Interrupted:
                    break;
                case KvmExitKind.Mmio when exit.Gpa < _memory.CapacityBytes:
                    if (!AnswerMmio(exit))
                        return false;
                    break;
                case KvmExitKind.MemoryFault when (exit.Flags & (ulong)MemoryFaultFlags.Userfault) != 0:
                    Wait(new Gfn(exit.Gpa >> Page.Shift), Access.Read);
                    break;
                default:
                    throw new InvalidOperationException(
                        exit.Text ?? $"{exit.Kind} at 0x{exit.Gpa:x}, flags 0x{exit.Flags:x}"
                    );
            }
        }
    }

    // The exit is the touch of a hole: the page is fetched, and the instruction is answered from it.
    private bool AnswerMmio(in KvmExit exit)
    {
        if (exit.Bytes != sizeof(ulong))
            throw new InvalidOperationException($"MMIO of {exit.Bytes} bytes at 0x{exit.Gpa:x}");
        var gfn = new Gfn(exit.Gpa >> Page.Shift);
        var page = KvmGuestMemory.PageOf(gfn);
        while (!_memory.IsPlaced(page))
        {
            Wait(gfn, exit.IsWrite ? Access.Write : Access.Read);
            if (!PassGate())
                return false;
        }

        _machine.FillHole(gfn);
        ref var word = ref *_memory.WordAt(exit.Gpa);
        if (exit.IsWrite)
            Volatile.Write(ref word, _runner.MmioDatum);
        else
            _runner.AnswerMmio(Volatile.Read(ref word));
        Interlocked.Increment(ref _mmio);
        return true;
    }

    private void Check()
    {
        long reads = 0,
            wrong = 0;
        for (var i = 0; i < _accesses.Count; i++)
        {
            var (gfn, stamp, sequence) = _accesses[i];
            var (found, page) = (_batch.Value(i), KvmGuestMemory.PageOf(gfn));
            if (stamp != 0)
            {
                _ledger.Add(page, StampMath.Move(StampMath.WordIndex(_number), found, stamp));
                continue;
            }

            reads++;
            if (!_checker.CouldRead(page, _number, found, sequence))
                wrong++;
        }

        Volatile.Write(ref _reads, _reads + reads);
        Volatile.Write(ref _writes, _writes + _accesses.Count - reads);
        Volatile.Write(ref _wrongReads, _wrongReads + wrong);
    }

    private void Wait(Gfn gfn, Access access)
    {
        Change(() => _waiting++);
        Tell(gfn, access);
    }

    private void Tell(Gfn gfn, Access access) =>
        _actor.Tell(new KvmVcpuProtocol.Touched(gfn, access, TimeProvider.System.GetTimestamp()), ActorRefs.NoSender);

    // Waits until the vCPU may enter the guest; false if it must never enter it again.
    private bool PassGate()
    {
        lock (_gate)
        {
            while (!_isStopped && (!_isStarted || _isPaused || _waiting > 0))
            {
                if (_isPaused && !_isParked)
                {
                    _isParked = true;
                    _actor.Tell(KvmVcpuProtocol.Parked.Instance, ActorRefs.NoSender);
                }

                Monitor.Wait(_gate);
            }

            return !_isStopped;
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Monitor.PulseAll(_gate);
        }
    }
}
