using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.TestActors;
using Akka.TestKit.Xunit2;
using Xunit.Abstractions;

namespace Userfault.Engine.Tests;

/// <summary>The ways to make a test kit, and how its system ends.</summary>
public sealed class SystemTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void A_test_kit_makes_a_system_by_itself()
    {
        using var kit = new TestKit();
        Assert.Equal("test", kit.Sys.Name);
        Assert.Equal(TimeSpan.FromSeconds(3), kit.TestKitSettings.SingleExpectDefault);
        Assert.Equal(1.0, kit.TestKitSettings.TestTimeFactor);
        Assert.Equal(TimeSpan.FromSeconds(5), kit.TestKitSettings.DefaultTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), kit.TestKitSettings.TestEventFilterLeeway);
        AssertWorks(kit);
    }

    [Fact]
    public void It_takes_a_configuration_as_text_or_parsed()
    {
        using var text = new TestKit("my.key = 1");
        Assert.Equal(1, text.Sys.Settings.Config.GetInt("my.key"));
        AssertWorks(text);

        using var parsed = new TestKit(ConfigurationFactory.ParseString("my.key = 2"), "named");
        Assert.Equal(2, parsed.Sys.Settings.Config.GetInt("my.key"));
        Assert.Equal("named", parsed.Sys.Name);
        AssertWorks(parsed);
    }

    [Fact]
    public void It_takes_a_setup()
    {
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(
            ConfigurationFactory.ParseString("my.key = 3")));
        using var kit = new TestKit(setup, "by-setup");
        Assert.Equal(3, kit.Sys.Settings.Config.GetInt("my.key"));
        Assert.Equal("by-setup", kit.Sys.Name);
        AssertWorks(kit);
    }

    [Fact]
    public void It_takes_a_system_and_ends_it()
    {
        var system = ActorSystem.Create("mine", TestKit.DefaultConfig);
        using (var kit = new TestKit(system))
        {
            Assert.Same(system, kit.Sys);
            AssertWorks(kit);
        }
        Assert.True(system.WhenTerminated.IsCompleted);
    }

    [Fact]
    public void AfterAll_runs_once_while_the_system_is_up()
    {
        var kit = new Suite();
        kit.Dispose();
        kit.Dispose();
        Assert.Equal(1, kit.Ended);
        Assert.False(kit.WasDown);
        Assert.True(kit.Sys.WhenTerminated.IsCompleted);
    }

    [Fact]
    public void Shutdown_waits_and_can_insist()
    {
        using var kit = new TestKit();
        using var release = new ManualResetEventSlim();
        kit.Sys.RegisterOnTermination(() => release.Wait());
        Assert.Throws<TimeoutException>(() => kit.Shutdown(Failure.Short, verifySystemShutdown: true));
        release.Set();
        kit.Shutdown(Minute, verifySystemShutdown: true);
    }

    [Fact]
    public void The_log_goes_to_the_tests_output()
    {
        var output = new Output();
        using (var kit = new TestKit("akka.loglevel = INFO", output))
        {
            kit.EventFilter.Info("hello from the test").ExpectOne(Minute, () => kit.Log.Info("hello from the test"));
            kit.AwaitAssert(
                () => Assert.Contains(output.Lines, l => l.Contains("hello from the test", StringComparison.Ordinal)),
                Minute, TimeSpan.FromMilliseconds(5));
        }
        Assert.All(output.Lines, line => Assert.NotEqual("", line));
    }

    [Fact]
    public void FullDebugConfig_logs_what_actors_do()
    {
        using var kit = new TestKit(TestKit.FullDebugConfig);
        kit.EventFilter.Debug(start: "Started", source: "/user/logged").ExpectOne(
            Minute, () => kit.Sys.ActorOf(BlackHoleActor.Props, "logged"));
    }

    private static void AssertWorks(TestKitBase kit)
    {
        kit.TestActor.Tell("ping");
        kit.ExpectMsgFrom<string>(kit.TestActor);
        kit.EventFilter.Warning("seen").ExpectOne(Minute, () => kit.Log.Warning("seen"));
    }

    private sealed class Suite : TestKit
    {
        public int Ended { get; private set; }

        public bool WasDown { get; private set; }

        protected override void AfterAll()
        {
            Ended++;
            WasDown = Sys.WhenTerminated.IsCompleted;
        }
    }

    private sealed class Output : ITestOutputHelper
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return _lines.ToList();
            }
        }

        public void WriteLine(string message)
        {
            lock (_lines)
                _lines.Add(message);
        }

        public void WriteLine(string format, params object[] args) => WriteLine(string.Format(format, args));
    }
}
