using Akka.Actor;
using Akka.Configuration;

namespace Akka.TestKit;

/// <summary>What a system's configuration says under <c>akka.test</c>.</summary>
public class TestKitSettings : IExtension
{
    /// <summary>Reads the settings; every key must be there, as it is with <see cref="TestKitBase.DefaultConfig"/>.</summary>
    /// <param name="config">The whole configuration of a system.</param>
    public TestKitSettings(Config config)
    {
        var test = config?.GetConfig("akka.test");
        if (test.IsNullOrEmpty())
            throw new ConfigurationException("akka.test is missing: add TestKit.DefaultConfig as a fallback.");

        TestTimeFactor = test!.GetDouble("timefactor", 1.0);
        SingleExpectDefault = test.GetTimeSpan("single-expect-default", TimeSpan.FromSeconds(3), allowInfinite: false);
        TestEventFilterLeeway = test.GetTimeSpan("filter-leeway", TimeSpan.FromSeconds(3), allowInfinite: false);
        DefaultTimeout = test.GetTimeSpan("default-timeout", TimeSpan.FromSeconds(5), allowInfinite: false);
        LogTestKitCalls = test.GetBoolean("testkit.debug", false);
    }

    /// <summary>Longest wait of a latch, a barrier and the kit's own questions: <c>default-timeout</c>.</summary>
    public TimeSpan DefaultTimeout { get; }

    /// <summary>Longest wait for one message outside of Within: <c>single-expect-default</c>, not yet dilated.</summary>
    public TimeSpan SingleExpectDefault { get; }

    /// <summary>Longest wait of an event filter: <c>filter-leeway</c>.</summary>
    public TimeSpan TestEventFilterLeeway { get; }

    /// <summary>What dilated durations are multiplied by: <c>timefactor</c>.</summary>
    public double TestTimeFactor { get; }

    /// <summary>Whether the kit logs what it does: <c>testkit.debug</c>.</summary>
    public bool LogTestKitCalls { get; }
}
