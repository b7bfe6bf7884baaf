using Akka.Configuration;

namespace Akka.TestKit.Configs;

/// <summary>Configurations to hand to a test kit.</summary>
public static class TestConfigs
{
    /// <summary>What every system of the test kit falls back to.</summary>
    public static Config DefaultConfig => TestKitBase.DefaultConfig;

    /// <summary>The same, with a <see cref="TestScheduler"/>.</summary>
    public static Config TestSchedulerConfig { get; } = ConfigurationFactory
        .ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"")
        .WithFallback(TestKitBase.DefaultConfig);
}
