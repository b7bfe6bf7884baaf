using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// One thread, one virtual clock: everything that actors, timers and the network do is a step, and the seed decides the
/// order of steps. Time advances only when nothing is left to do at the current instant. The same seed gives the same
/// <see cref="Hash"/> in every process, on every machine.
/// </summary>
/// <remarks>
/// Belongs to the thread that created it. The turn of a mailbox run is <c>step + hash(seed, actor path, run count) %
/// window</c>, independent of the order of queueing. Work that leaves this thread or its clock ends the run with
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

    /// <summary>A world at time 0 without actors.</summary>
    /// <param name="seed">Determines the whole run.</param>
    /// <param name="options">The settings.</param>
    public SimWorld(ulong seed, SimOptions? options = null)
    {
        _options = options ?? new SimOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Window, 1, nameof(options));
        (Seed, _window) = (seed, (ulong)_options.Window);
        Time = new SimTime(this);
    }

    /// <summary>The seed, which determines the whole run.</summary>
    public ulong Seed { get; }

    /// <summary>Virtual time in ns from the world's start.</summary>
    public long NowNs { get; private set; }

    /// <summary>Virtual time as the guest's clock, exact to the ns.</summary>
    public IGuestTime Time { get; }

    /// <summary>Number of mailbox runs and timers since the start.</summary>
    public long Steps { get; private set; }

    /// <summary>Number of messages processed since the start.</summary>
    public long Messages { get; private set; }

    /// <summary>A hash over every step: actor, type of message, time.</summary>
    public ulong Hash => _hash;

    /// <summary>The last lines that actors logged.</summary>
    public IReadOnlyCollection<SimLogLine> Log => _log;

    /// <summary>Called before an actor processes a message; null for none. It must not change the run.</summary>
    public Action<SimStep>? OnStep { get; set; }

    /// <summary>Called after every step, for checkers, which throw on a violation; null for none.</summary>
    public Action? AfterStep { get; set; }

    /// <summary>
    /// How many copies of a message go into a mailbox, given the owner's name, the receiver and the message. The caller
    /// must know which messages may be lost or duplicated. Null for always one.
    /// </summary>
    internal Func<string, IActorRef, Envelope, int>? Delivery { get; set; }

    /// <summary>The world whose actor system is being created on this thread.</summary>
    internal static SimWorld Opening =>
        CurrentlyOpening ?? throw new InvalidOperationException("make the actor system with SimWorld.CreateSystem");

    /// <summary>An independent stream of random numbers for one purpose.</summary>
    public SimRandom Random(string purpose) => new(Seed, purpose);

    /// <summary>Creates an actor system whose messages, timers and log lines are all part of this world.</summary>
    /// <param name="name">The actor system's name.</param>
    /// <param name="node">Its name in the world, which prefixes its actors' paths; null for
    /// <paramref name="name"/>.</param>
    /// <param name="config">Settings that take precedence over the world's own.</param>
    /// <param name="setups">Additional setups, such as the transport of a simulated cluster.</param>
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

    /// <summary>Makes a call after a delay.</summary>
    /// <param name="delayNs">The delay in ns; not negative.</param>
    /// <param name="label">The owner of the call. Part of the hash, so it must be the same in every process.</param>
    /// <param name="action">The call.</param>
    public void After(long delayNs, string label, Action action) => At(NowNs + delayNs, new SimLabel(label), action);

    /// <summary>Runs until a condition holds, which is checked after every step.</summary>
    /// <param name="holds">The condition.</param>
    /// <param name="within">Maximum virtual time.</param>
    /// <returns>False if the time is over or nothing is left to happen.</returns>
    /// <exception cref="SimEscapeException">Work has escaped.</exception>
    /// <exception cref="SimStuckException">Actors keep running without end at one instant.</exception>
    public bool RunUntil(Func<bool> holds, TimeSpan within)
    {
        ArgumentNullException.ThrowIfNull(holds);
        return Run(NowNs + (within.Ticks * 100), holds);
    }

    /// <summary>
    /// Runs for a time, and advances the clock by it even if nothing happens.
    /// </summary>
    public void RunFor(TimeSpan time)
    {
        var untilNs = NowNs + (time.Ticks * 100);
        Run(untilNs, null);
        NowNs = Math.Max(NowNs, untilNs);
    }

    /// <summary>Takes ownership of an object that actors use: it is disposed of once all actors have ended.</summary>
    public void Own(IDisposable used) => _owned.Push(used);

    /// <summary>
    /// Ends all actor systems and disposes of what they used. Their last steps are not part of the run.
    /// </summary>
    public void Dispose()
    {
        OnStep = null;
        AfterStep = null;
        Delivery = null;
        IsEnding = true;
        foreach (var system in _systems)
            _ = system.Terminate();
        // Bounded: a system that was interrupted may never finish terminating.
        var (untilNs, most) = (NowNs + 10_000_000_000, Steps + 10_000_000);
        while (!AllHaveEnded() && Steps < most && Step(untilNs)) { }

        // The final step of a termination is a task on a pool thread. An actor that still runs after that may access
        // owned objects; these are then left until the process ends.
        if (!SpinWait.SpinUntil(AllHaveEnded, TimeSpan.FromMilliseconds(200)))
            return;
        while (_owned.TryPop(out var owned))
            owned.Dispose();
    }

    // The task is replaced by the pool thread that completes it, and is null for a moment.
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
        // If steps take time, timers become due between them.
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
        // The run processed only Akka's system messages, such as a watch.
        if (actor.Taken is null)
            Note(actor.Label.Hash, 1);
    }

    private static string NameOf(IRunnable run) =>
        ((run as Mailbox)?.MessageQueue as SimMailbox)?.Label.Name ?? run.GetType().Name;
}
