using System.Globalization;

namespace Userfault.Handler.Tests;

/// <summary>
/// The pager over a model of the kernel whose calls fail at any time (<see cref="InjectorRun"/>). USERFAULT_INJECT_RUNS
/// gives the number of runs, USERFAULT_INJECT_SEED the only seed to run.
/// </summary>
public sealed class FaultInjectorTests
{
    private const ulong Runs = 100_000;
    private readonly Dictionary<PagerEnd, ulong> _ends = [];

    [Fact]
    public void No_wrong_byte_no_lost_wake_and_every_fault_has_its_end()
    {
        if (Number("USERFAULT_INJECT_SEED") is { } seed)
        {
            Assert.True(Wrong(seed, isTraced: true) is null, $"seed {seed}: {Wrong(seed, isTraced: true)}");
            return;
        }
        var runs = Number("USERFAULT_INJECT_RUNS") ?? Runs;
        _ends.Clear();
        for (ulong i = 0; i < runs; i++)
        {
            if (Wrong(i) is not null)
                Assert.Fail($"USERFAULT_INJECT_SEED={i} runs it alone: {Wrong(i, isTraced: true)}");
        }
        // A model in which nothing happens would find nothing.
        PagerEnd[] ends = [PagerEnd.None, PagerEnd.Completed, PagerEnd.Failed, PagerEnd.MonitorGone];
        Assert.All(
            ends,
            end => Assert.True(_ends.GetValueOrDefault(end) > runs / 1000, $"{end}: {_ends.GetValueOrDefault(end)}")
        );
    }

    private string? Wrong(ulong seed, bool isTraced = false)
    {
        using var run = new InjectorRun(seed, isTraced);
        try
        {
            var found = run.Run();
            _ends[run.End] = _ends.GetValueOrDefault(run.End) + 1;
            return found is { } wrong ? $"{wrong}\n{(isTraced ? run.Trace : "")}" : null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return $"unforeseen: {e}";
        }
    }

    private static ulong? Number(string variable) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
