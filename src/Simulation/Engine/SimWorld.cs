using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// One thread, one virtual clock: everything that actors, timers and the network do is a step, and the seed decides
/// their order. Time moves only when nothing is left to do now. The same seed gives the same <see cref="Hash"/> in
/// every process, on every machine.
/// </summary>
/// <remarks>
/// Belongs to the thread that made it. A mailbox run's turn is <c>step + hash(seed, actor path, run count) %
/// window</c>: what was queued first has no part in it. Work that leaves this thread or its clock ends the run with
/// <see cref="SimEscapeException"/>.
/// </remarks>
public sealed partial class SimWorld : IDisposable
{
    [ThreadStatic]
    private static SimWorld? CurrentlyOpening;

    private readonly PriorityQueue<IRunnable, RunOrder> _ready = new();
    private readonly TimerQueue _timers = new();
    private readonly List<ActorSystem> _systems = [];
    private readonly Stack<IDisposable> _owned = new();
    private readonly Dictionary<Type, ulong> _typeHashes = [];
    private readonly Queue<SimLogLine> _log = new();
    private readonly SimOptions _options;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly ulong _window;
    private ulong _bareRuns;
    private long _instantStep;
    private ulong _hash = SimHash.Start;
    private SimMailbox? _current;

    /// <summary>A world in which nothing has happened.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="options">How it runs.</param>
    public SimWorld(ulong seed, SimOptions? options = null)
    {
        _options = options ?? new SimOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Window, 1, nameof(options));
        (Seed, _window) = (seed, (ulong)_options.Window);
        Time = new SimTime(this);
    }

    /// <summary>Decides everything.</summary>
    public ulong Seed { get; }

    /// <summary>Virtual time in ns from the world's start.</summary>
    public long NowNs { get; private set; }

    /// <summary>Virtual time as the guest's clock, exact to the ns.</summary>
    public IGuestTime Time { get; }

    /// <summary>Mailbox runs and timers so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Messages that actors have taken so far.</summary>
    public long Messages { get; private set; }

    /// <summary>A hash over every step: who, which type of message, when.</summary>
    public ulong Hash => _hash;

    /// <summary>The last lines that actors logged.</summary>
    public IReadOnlyCollection<SimLogLine> Log => _log;

    /// <summary>Called before an actor takes a message; null is nobody. What it does must not change the run.</summary>
    public Action<SimStep>? OnStep { get; set; }

    /// <summary>Called after every step; null is nobody. For checkers: what it finds wrong it throws.</summary>
    public Action? AfterStep { get; set; }

    /// <summary>
    /// How often a message goes into a mailbox, given whose it is and the message: what may be lost, or come twice, is
    /// the caller's to know. Null is once, always.
    /// </summary>
    internal Func<string, IActorRef, Envelope, int>? Delivery { get; set; }

    /// <summary>The world whose actor system is being made on this thread.</summary>
    internal static SimWorld Opening =>
        CurrentlyOpening ?? throw new InvalidOperationException("make the actor system with SimWorld.CreateSystem");

    /// <summary>A stream of random numbers of its own for a purpose.</summary>
    public SimRandom Random(string purpose) => new(Seed, purpose);

    /// <summary>An actor system whose every message, timer and log line is a part of this world.</summary>
    /// <param name="name">The actor system's name.</param>
    /// <param name="node">Its name in the world, in front of its actors' paths; null takes
    /// <paramref name="name"/>.</param>
    /// <param name="config">Settings over the world's own.</param>
    /// <param name="setups">More setups, such as the transport of a simulated cluster.</param>
    public ActorSystem CreateSystem(
        string name,
        string? node = null,
        Config? config = null,
        params ReadOnlySpan<Setup> setups
    )
    {
        var all = config is null ? SimSystems.Settings : config.WithFallback(SimSystems.Settings);
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(all), new SimSetup(this, node ?? name));
        foreach (var more in setups)
            setup = setup.And(more);
        LeaveStep();
        CurrentlyOpening = this;
        try
        {
            var system = ActorSystem.Create(name, setup);
            _systems.Add(system);
            return system;
        }
        finally
        {
            CurrentlyOpening = null;
        }
    }

    /// <summary>Calls back after a time.</summary>
    /// <param name="delayNs">How long, in ns; not negative.</param>
    /// <param name="label">Whose call it is: goes into the hash, so the same in every process.</param>
    /// <param name="action">The call.</param>
    public void After(long delayNs, string label, Action action) => At(NowNs + delayNs, new SimLabel(label), action);

    /// <summary>Runs until a condition holds, which is looked at after every step.</summary>
    /// <param name="holds">The condition.</param>
    /// <param name="within">Most virtual time.</param>
    /// <returns>False where the time is over or nothing is left to happen.</returns>
    /// <exception cref="SimEscapeException">Work has escaped.</exception>
    /// <exception cref="SimStuckException">Actors go on without an end at one instant.</exception>
    public bool RunUntil(Func<bool> holds, TimeSpan within)
    {
        ArgumentNullException.ThrowIfNull(holds);
        return Run(NowNs + (within.Ticks * 100), holds);
    }

    /// <summary>
    /// Runs for a time; the clock stands there afterwards, whether or not anything happens until then.
    /// </summary>
    public void RunFor(TimeSpan time)
    {
        var untilNs = NowNs + (time.Ticks * 100);
        Run(untilNs, null);
        NowNs = Math.Max(NowNs, untilNs);
    }

    /// <summary>Hands something over that actors use: it is disposed of once they have all ended.</summary>
    public void Own(IDisposable used) => _owned.Push(used);

    /// <summary>Ends all actor systems, and what they used. What they still do has no part in the run.</summary>
    public void Dispose()
    {
        OnStep = null;
        AfterStep = null;
        Delivery = null;
        IsEnding = true;
        foreach (var system in _systems)
            _ = system.Terminate();
        // Bounded: a system that was cut off in the middle may never say that it is done.
        var (untilNs, most) = (NowNs + 10_000_000_000, Steps + 10_000_000);
        while (!AllHaveEnded() && Steps < most && Step(untilNs)) { }

        // The last word of an end is a task's, on a thread of the pool. An actor that is still there after that may
        // look at what it used: then it is left to the end of the process.
        if (!SpinWait.SpinUntil(AllHaveEnded, TimeSpan.FromMilliseconds(200)))
            return;
        while (_owned.TryPop(out var owned))
            owned.Dispose();
    }

    // The task is replaced by the pool's thread that completes it, and is nothing for a moment.
    private bool AllHaveEnded() => _systems.TrueForAll(static s => s.WhenTerminated is { IsCompleted: true });

    internal void At(long dueNs, SimLabel label, Action action) =>
        Schedule(dueNs, new SimTimer(label, action, null, null, null, null));

    internal void Schedule(long dueNs, in SimTimer timer)
    {
        if (!IsOwnThread)
        {
            Escaped(ThreadName(), $"set a timer for {timer.Receiver?.ToString() ?? timer.Label.Name}");
            return;
        }

        _timers.Add(Math.Max(dueNs, NowNs), timer);
    }

    internal void Ready(IRunnable run)
    {
        var actor = (run as Mailbox)?.MessageQueue as SimMailbox;
        if (!IsOwnThread)
        {
            Escaped(ThreadName(), $"woke {actor?.Label.Name ?? run.GetType().Name}");
            return;
        }

        if (actor is null)
        {
            _ready.Enqueue(run, new RunOrder((ulong)Steps, _bareRuns++));
            return;
        }

        var hash = Mix64.At(actor.Salt, actor.Runs++);
        _ready.Enqueue(run, new RunOrder((ulong)Steps + Mix64.Below(hash, _window), hash));
    }

    internal void OnMessage(SimMailbox actor, ulong typeHash, in Envelope envelope)
    {
        Messages++;
        Note(actor.Label.Hash, typeHash);
        OnStep?.Invoke(new SimStep(Steps, NowNs, actor.Label.Name, envelope.Message));
    }

    internal ulong HashOf(Type type)
    {
        if (!_typeHashes.TryGetValue(type, out var hash))
            _typeHashes.Add(type, hash = SimHash.Of(type.FullName ?? type.Name));
        return hash;
    }

    internal void Note(ulong who, ulong what) =>
        _hash = SimHash.Add(SimHash.Add(SimHash.Add(_hash, who), what), (ulong)NowNs);

    private bool Run(long untilNs, Func<bool>? holds)
    {
        if (!IsOwnThread)
            throw new InvalidOperationException("a world is run by the thread that made it");
        EnterWatch();
        try
        {
            while (true)
            {
                ThrowEscape();
                if (holds is not null && holds())
                    return true;
                if (!Step(untilNs))
                    return false;
                AfterStep?.Invoke();
            }
        }
        finally
        {
            LeaveWatch();
        }
    }

    private bool Step(long untilNs)
    {
        // Where steps take time, timers fall due in the middle of what goes on.
        if (_options.StepNs > 0 && Fire(NowNs))
            return true;
        if (!_ready.TryDequeue(out var run, out _))
            return Fire(untilNs);
        RunMailbox(run);
        if (_options.StepNs > 0)
            (NowNs, _instantStep) = (NowNs + _options.StepNs, Steps);
        return true;
    }

    private bool Fire(long untilNs)
    {
        if (!_timers.TryTake(untilNs, out var dueNs, out var timer))
            return false;
        if (dueNs > NowNs)
            (NowNs, _instantStep) = (dueNs, Steps);
        Steps++;
        Note(timer.Label.Hash, 0);
        timer.Fire();
        return true;
    }

    private void RunMailbox(IRunnable run)
    {
        if (Steps - _instantStep > _options.MostStepsAnInstant && !IsEnding)
        {
            throw new SimStuckException(
                $"more than {_options.MostStepsAnInstant} steps at {NowNs} ns; the next is {NameOf(run)}"
            );
        }

        Steps++;
        var actor = (run as Mailbox)?.MessageQueue as SimMailbox;
        if (actor is null)
        {
            Note(0, HashOf(run.GetType()));
            run.Run();
            return;
        }

        actor.Taken = null;
        EnterStep(actor);
        run.Run();
        _current = null;
        // Nothing but Akka's own words, such as a watch.
        if (actor.Taken is null)
            Note(actor.Label.Hash, 1);
    }

    private static string NameOf(IRunnable run) =>
        ((run as Mailbox)?.MessageQueue as SimMailbox)?.Label.Name ?? run.GetType().Name;
}
