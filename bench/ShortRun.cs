using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Userfault.Bench;

/// <summary>
/// How every benchmark runs unless it says otherwise: three warm-ups and three measurements, in this process. A project
/// generated and built for each class would cost more minutes than the measurements take seconds, and would need a
/// registry that answers.
/// </summary>
internal static class ShortRun
{
    public static IConfig Config { get; } =
        DefaultConfig
            .Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .WithOptions(ConfigOptions.DisableLogFile);
}
