using System.Diagnostics;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>
/// A test's view of an actor system: a test actor whose messages the test's thread takes and judges, an event filter
/// over the log, and time limits. A suite derives from the TestKit of its test framework, never from this class.
/// </summary>
public abstract partial class TestKitBase : IActorRefFactory
{
    private static readonly TimeSpan TestActorStartTimeout = TimeSpan.FromSeconds(30);
    private static long LastTestActorNumber;

    private readonly ITestKitAssertions _assertions;
    private TestState _testState = null!; // every constructor ends in InitializeTest

    /// <summary>Works on <paramref name="system"/>, or on a new system with <see cref="DefaultConfig"/>.</summary>
    protected TestKitBase(ITestKitAssertions assertions, ActorSystem? system = null, string? testActorName = null)
        : this(assertions, system, SetupOf(DefaultConfig), null, testActorName)
    {
    }

    /// <summary>Works on a new system set up by <paramref name="setup"/>, with <see cref="DefaultConfig"/> below.</summary>
    protected TestKitBase(
        ITestKitAssertions assertions, ActorSystemSetup setup, string? actorSystemName = null, string? testActorName = null)
        : this(assertions, null, setup, actorSystemName, testActorName)
    {
    }

    /// <summary>Works on a new system with <paramref name="config"/>, and <see cref="DefaultConfig"/> below it.</summary>
    protected TestKitBase(
        ITestKitAssertions assertions, Config config, string? actorSystemName = null, string? testActorName = null)
        : this(assertions, null, SetupOf(config), actorSystemName, testActorName)
    {
    }

    /// <summary>What the other constructors come down to; <paramref name="config"/> counts where there is no system.</summary>
    protected TestKitBase(
        ITestKitAssertions assertions, ActorSystem? system, ActorSystemSetup config, string? actorSystemName,
        string? testActorName)
    {
        _assertions = assertions ?? throw new ArgumentNullException(nameof(assertions));
        InitializeTest(system, config, actorSystemName, testActorName);
    }

    /// <summary>What every system of the test kit falls back to.</summary>
    public static Config DefaultConfig { get; } =
        ConfigurationFactory.FromResource<TestKitBase>("Akka.TestKit.Internal.Reference.conf");

    /// <summary>Logs everything Akka can log about actors, at debug level.</summary>
    public static Config FullDebugConfig { get; } = ConfigurationFactory.ParseString("""
        akka {
          loglevel = DEBUG
          stdout-loglevel = DEBUG
          log-dead-letters = true
          log-dead-letters-during-shutdown = true
          actor.debug {
            receive = true
            autoreceive = true
            lifecycle = true
            event-stream = true
            unhandled = true
            fsm = true
            router-misconfiguration = true
          }
        }
        """);

    /// <summary>The kit's clock: only differences mean anything.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>The system under test.</summary>
    public ActorSystem Sys => _testState.System;

    /// <summary>The settings under <c>akka.test</c>.</summary>
    public TestKitSettings TestKitSettings => _testState.Settings;

    /// <summary>The actor whose messages this kit expects; the sender of what the test tells.</summary>
    public IActorRef TestActor => _testState.TestActor;

    /// <summary>The system's log, with this test class as its source.</summary>
    public ILoggingAdapter Log => _testState.Log;

    /// <summary>Whether a message waits to be taken.</summary>
    public bool HasMessages => _testState.Queue.Count > 0;

    /// <summary>Counts and holds back log events of <see cref="Sys"/>.</summary>
    public EventFilterFactory EventFilter => new(this);

#nullable disable annotations // the official kit says nothing about null here: there may be none yet
    /// <summary>Who sent <see cref="LastMessage"/>.</summary>
    public IActorRef LastSender => _testState.LastMessage.Sender;

    /// <summary>The message taken last.</summary>
    public object LastMessage => _testState.LastMessage.Message;
#nullable restore annotations

    /// <summary>Counts and holds back log events of <paramref name="system"/>.</summary>
    public EventFilterFactory CreateEventFilter(ActorSystem system) => new(this, system);

    /// <summary>Starts one more test actor, which queues into this kit.</summary>
    public IActorRef CreateTestActor(string name) => CreateTestActor(_testState.System, name);

    /// <summary>Starts a probe: a kit of its own that is also an actor reference.</summary>
    public virtual TestProbe CreateTestProbe(string? name = null) => CreateTestProbe(Sys, name);

    /// <summary>Starts a probe in <paramref name="system"/>.</summary>
    public virtual TestProbe CreateTestProbe(ActorSystem system, string? name = null) => new(system, _assertions, name);

    /// <summary>A latch that opens after <paramref name="count"/> count-downs and whose waits are dilated.</summary>
    public virtual TestLatch CreateTestLatch(int count = 1) => new(Dilated, count, TestKitSettings.DefaultTimeout);

    /// <summary>A barrier for <paramref name="count"/> threads.</summary>
    public TestBarrier CreateTestBarrier(int count) => new(this, count, TestKitSettings.DefaultTimeout);

    /// <summary>Begins with a new system, unless one is given, and a new test actor.</summary>
    protected void InitializeTest(ActorSystem? system, ActorSystemSetup config, string? actorSystemName, string? testActorName)
    {
        system ??= ActorSystem.Create(actorSystemName ?? "test", WithDefaults(config));
        if (!system.Settings.Config.HasPath("akka.test"))
            system.Settings.InjectTopLevelFallback(DefaultConfig);
        system.RegisterExtension(new TestKitExtension());
        system.RegisterExtension(new TestKitAssertionsExtension(_assertions));
        system.Dispatchers.RegisterConfigurator(
            CallingThreadDispatcher.Id,
            new CallingThreadDispatcherConfigurator(system.Settings.Config, system.Dispatchers.Prerequisites));

        _testState = new TestState(system, Logging.GetLogger(system, GetType()));
        var name = string.IsNullOrEmpty(testActorName)
            ? $"testActor{Interlocked.Increment(ref LastTestActorNumber)}"
            : testActorName;
        _testState.TestActor = CreateTestActor(system, name);
        SetImplicitSender();
    }

    /// <summary>Like the other overload, with a configuration in place of a setup.</summary>
    protected void InitializeTest(ActorSystem? system, Config config, string? actorSystemName, string? testActorName) =>
        InitializeTest(system, SetupOf(config), actorSystemName, testActorName);

    private static ActorSystemSetup SetupOf(Config config) =>
        ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config));

    private static ActorSystemSetup WithDefaults(ActorSystemSetup setup)
    {
        var given = setup.Get<BootstrapSetup>();
        var bootstrap = given.HasValue ? given.Value : BootstrapSetup.Create();
        var config = bootstrap.Config.HasValue ? bootstrap.Config.Value : DefaultConfig;
        return setup.WithSetup(bootstrap.WithConfig(
            ReferenceEquals(config, DefaultConfig) ? config : config.WithFallback(DefaultConfig)));
    }

    private IActorRef CreateTestActor(ActorSystem system, string name)
    {
        var queue = _testState.Queue;
        var props = Props.Create(() => new InternalTestActor(queue)).WithDispatcher("akka.test.test-actor.dispatcher");
        var testActor = ((ExtendedActorSystem)system).SystemActorOf(props, name);
        // A system actor starts when its guardian gets to it; until then it has no cell to be the implicit sender with.
        var started = AwaitConditionNoThrow(
            () => testActor is not IRepointableRef { IsStarted: false }, TestActorStartTimeout, TimeSpan.FromMilliseconds(1));
        if (!started)
            _assertions.Fail($"The test actor {Describe.Actor(testActor)} did not start within {TestActorStartTimeout}.");
        return testActor;
    }

    // Akka's Tell without a sender asks this thread's current cell who is sending. A probe is made in the middle of
    // somebody else's test and must leave the sender alone.
    private void SetImplicitSender()
    {
        if (this is TestProbe)
            return;
        InternalCurrentActorCellKeeper.Current = this is INoImplicitSender
            ? null
            : (ActorCell)((ActorRefWithCell)_testState.TestActor).Underlying;
        SynchronizationContext.SetSynchronizationContext(
            new ActorCellKeepingSynchronizationContext(InternalCurrentActorCellKeeper.Current));
    }
}
