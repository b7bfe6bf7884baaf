using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.TestKit.Xunit2.Internals;
using Xunit.Abstractions;

namespace Akka.TestKit.Xunit2;

/// <summary>
/// Base class of an xunit suite: every test gets an actor system of its own, which ends with the test. With an
/// <see cref="ITestOutputHelper"/> the system's log also goes to the test's output.
/// </summary>
public class TestKit : TestKitBase, IDisposable
{
#pragma warning disable CA1051 // suites name the field
    /// <summary>The running test's output, or null.</summary>
    protected readonly ITestOutputHelper? Output;
#pragma warning restore CA1051

    private bool _disposed;

    /// <summary>Works on <paramref name="system"/>, or on a new system with <see cref="DefaultConfig"/>.</summary>
    public TestKit(ActorSystem? system = null, ITestOutputHelper? output = null)
        : base(Assertions, system)
    {
        Output = output;
        InitializeLogger(Sys);
    }

    /// <summary>Works on a new system set up by <paramref name="config"/>.</summary>
    public TestKit(ActorSystemSetup config, string? actorSystemName = null, ITestOutputHelper? output = null)
        : base(Assertions, config, actorSystemName)
    {
        Output = output;
        InitializeLogger(Sys);
    }

    /// <summary>Works on a new system with <paramref name="config"/>, and <see cref="DefaultConfig"/> below it.</summary>
    public TestKit(Config config, string? actorSystemName = null, ITestOutputHelper? output = null)
        : base(Assertions, config, actorSystemName)
    {
        Output = output;
        InitializeLogger(Sys);
    }

    /// <summary>Works on a new system with this HOCON, and <see cref="DefaultConfig"/> below it.</summary>
    public TestKit(string config, ITestOutputHelper? output = null)
        : base(Assertions, ConfigurationFactory.ParseString(config))
    {
        Output = output;
        InitializeLogger(Sys);
    }

    /// <summary>What every system of the test kit falls back to.</summary>
    public new static Config DefaultConfig => TestKitBase.DefaultConfig;

    /// <summary>Logs everything Akka can log about actors, at debug level.</summary>
    public new static Config FullDebugConfig => TestKitBase.FullDebugConfig;

    /// <summary>How failures are reported to xunit.</summary>
    protected static XunitAssertions Assertions { get; } = new();

    /// <summary>Ends the test and its system.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs after a test, before its system ends.</summary>
    protected virtual void AfterAll()
    {
    }

    /// <summary>Sends the log of <paramref name="system"/> to the test's output too.</summary>
    protected void InitializeLogger(ActorSystem system)
    {
        if (Output is not { } output)
            return;
        var logger = ((ExtendedActorSystem)system).SystemActorOf(Props.Create(() => new TestOutputLogger(output)), "log-test");
        // Waits, so that not even the first event of the test is missed.
        logger.Ask<LoggerInitialized>(new InitializeLogger(system.EventStream), TestKitSettings.DefaultTimeout)
            .ConfigureAwait(false).GetAwaiter().GetResult();
    }

    /// <summary>Ends the test and its system, once.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            AfterAll();
        }
        finally
        {
            Shutdown();
            ForgetImplicitSender();
        }
    }

    // The thread goes on to other tests, which must not send in the name of a dead actor.
    private void ForgetImplicitSender()
    {
        if (ReferenceEquals(InternalCurrentActorCellKeeper.Current?.Self, TestActor))
            InternalCurrentActorCellKeeper.Current = null;
    }
}
