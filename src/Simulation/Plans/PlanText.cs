using System.Globalization;
using System.Text;
using Akka.Configuration;
using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// Plans as HOCON: one key per line, every key written. Reading applies the keys of a text to a plan: a complete text
/// is a replay, and a partial one is a scenario for every seed.
/// </summary>
public static class PlanText
{
    private static readonly Key[] Keys =
    [
        new("seed", p => Text(p.Seed), (p, v) => p with { Seed = Unsigned(v) }),
        new("order-window", p => Text(p.OrderWindow), (p, v) => p with { OrderWindow = Int(v, 1, 4096) }),
        new("step-ns", p => Text(p.StepNs), (p, v) => p with { StepNs = Int(v, 0, 1_000_000) }),
        new(
            "arch",
            p => PlanNames.Of(p.Architecture),
            (p, v) => p with { Architecture = PlanNames.Parse<Architecture>(v) }
        ),
        new("mode", p => PlanNames.Of(p.Mode), (p, v) => p with { Mode = PlanNames.Parse<Actors.FaultMode>(v) }),
        new("memory", p => PlanNames.Of(p.Memory), (p, v) => p with { Memory = PlanNames.Parse<Actors.MemoryKind>(v) }),
        new("pages", p => Text(p.Pages), (p, v) => p with { Pages = Int(v, 1, 1 << 20) }),
        new("slot-pages", p => Text(p.SlotPages), (p, v) => p with { SlotPages = Int(v, 0, 1 << 20) }),
        new("zero-percent", p => Text(p.ZeroPercent), (p, v) => p with { ZeroPercent = Int(v, 0, 100) }),
        new("vcpus", p => Text(p.Vcpus), (p, v) => p with { Vcpus = Int(v, 1, 512) }),
        new("accesses", p => Text(p.Accesses), (p, v) => p with { Accesses = Int(v, 1, 1 << 24) }),
        new(
            "pattern",
            p => PlanNames.Of(p.Pattern),
            (p, v) => p with { Pattern = PlanNames.Parse<Pages.PatternKind>(v) }
        ),
        new("overlapping", p => Text(p.Overlapping), (p, v) => p with { Overlapping = Switch(v) }),
        new("write-percent", p => Text(p.WritePercent), (p, v) => p with { WritePercent = Int(v, 0, 100) }),
        new("access-ns", p => Text(p.AccessNs), (p, v) => p with { AccessNs = Int(v, 0, 1_000_000_000) }),
        new("slice-accesses", p => Text(p.SliceAccesses), (p, v) => p with { SliceAccesses = Int(v, 1, 4096) }),
        new("push", p => PlanNames.Of(p.Push), (p, v) => p with { Push = Push(v) }),
        new("push-window", p => Text(p.PushWindow), (p, v) => p with { PushWindow = Int(v, 1, 1 << 20) }),
        new("push-chunk", p => Text(p.PushChunk), (p, v) => p with { PushChunk = Int(v, 1, 4096) }),
        new("locality", p => Text(p.Locality), (p, v) => p with { Locality = Int(v, 0, 4096) }),
        new("host-accesses", p => Text(p.HostAccesses), (p, v) => p with { HostAccesses = Int(v, 0, 1 << 24) }),
        new("descriptors", p => Text(p.Descriptors), (p, v) => p with { Descriptors = Int(v, 1, 64) }),
        new("readers", p => Text(p.Readers), (p, v) => p with { Readers = Int(v, 1, 64) }),
        new("work-budget", p => Text(p.WorkBudget), (p, v) => p with { WorkBudget = Int(v, 1, 1 << 20) }),
        new("fetchers", p => Text(p.Fetchers), (p, v) => p with { Fetchers = Int(v, 1, 64) }),
        new("replicas", p => Text(p.Replicas), (p, v) => p with { Replicas = Int(v, 1, 16) }),
        new("latency-ns", p => Text(p.LatencyNs), (p, v) => p with { LatencyNs = Int(v, 0, 1_000_000_000) }),
        new("jitter-ns", p => Text(p.JitterNs), (p, v) => p with { JitterNs = Int(v, 0, 1_000_000_000) }),
        new("request-pages", p => Text(p.RequestPages), (p, v) => p with { RequestPages = Int(v, 1, 4096) }),
        new("fetch-window", p => Text(p.FetchWindow), (p, v) => p with { FetchWindow = Int(v, 1, 1 << 20) }),
        new("tick-ns", p => Text(p.TickNs), (p, v) => p with { TickNs = Int(v, 10_000, 1_000_000_000) }),
        new("timeout-ns", p => Text(p.TimeoutNs), (p, v) => p with { TimeoutNs = Int(v, 0, 1_000_000_000) }),
        new("source-nodes", p => Text(p.SourceNodes), (p, v) => p with { SourceNodes = Int(v, 0, 16) }),
        new("fetcher-nodes", p => Text(p.FetcherNodes), (p, v) => p with { FetcherNodes = Int(v, 0, 16) }),
        new(
            "other-destinations",
            p => Text(p.OtherDestinations),
            (p, v) => p with { OtherDestinations = Int(v, 0, 4) }
        ),
        new("resolves-splits", p => Text(p.ResolvesSplits), (p, v) => p with { ResolvesSplits = Switch(v) }),
        new("clears-ns", p => Text(p.ClearsNs), (p, v) => p with { ClearsNs = Int(v, 0, 1_000_000_000) }),
        new("head-start-ns", p => Text(p.HeadStartNs), (p, v) => p with { HeadStartNs = Int(v, 0, 2_000_000_000) }),
        new("hedge", p => Text(p.Hedge), (p, v) => p with { Hedge = Switch(v) }),
    ];

    /// <summary>The names of all keys, <c>faults</c> last.</summary>
    public static IEnumerable<string> Names => Keys.Select(k => k.Name).Append("faults");

    /// <summary>The name of an enumeration value in a plan: lower case with dashes.</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum => PlanNames.Of(value);

    /// <summary>The value of a name.</summary>
    /// <exception cref="FormatException">No value has this name.</exception>
    public static T ValueOf<T>(string name)
        where T : struct, Enum => PlanNames.Parse<T>(name);

    /// <summary>Writes a complete plan.</summary>
    public static string Write(SwarmPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var text = new StringBuilder();
        foreach (var key in Keys)
            text.Append(key.Name).Append(" = ").Append(key.Write(plan)).Append('\n');
        // Akka's parser would take the line break in an empty list for an element.
        if (plan.Faults.Count == 0)
            return text.Append("faults = []\n").ToString();
        text.Append("faults = [\n");
        foreach (var fault in plan.Faults)
            text.Append("  \"").Append(fault).Append("\"\n");
        return text.Append("]\n").ToString();
    }

    /// <summary>Applies the keys of a HOCON text to a plan.</summary>
    /// <exception cref="FormatException">Not HOCON, an unknown key, or a value that the key does not allow.</exception>
    public static SwarmPlan Overlay(SwarmPlan plan, string hocon)
    {
        var config = Parse(hocon);
        if (config.IsEmpty || config.Root.IsEmpty)
            return plan;
        if (!config.Root.IsObject())
            throw new FormatException("no keys in it");
        foreach (var (name, value) in config.Root.GetObject().Items)
        {
            try
            {
                if (name == "faults")
                {
                    plan = plan with
                    {
                        Faults = [.. value.GetStringList().Where(static f => f is not null).Select(PlannedFault.Parse)],
                    };
                }
                else if (Array.Find(Keys, k => k.Name == name) is { } key)
                {
                    plan = key.Read(plan, value.GetString() ?? throw new FormatException("has no value"));
                }
                else
                {
                    throw new FormatException($"no such key; the keys are {string.Join(", ", Names)}");
                }
            }
            catch (FormatException e)
            {
                throw new FormatException($"{name}: {e.Message}");
            }
        }

        Check(plan);
        return plan;
    }

    private static void Check(SwarmPlan plan)
    {
        if (
            plan.Memory == Actors.MemoryKind.GuestMemfd
            && (plan.Mode != Actors.FaultMode.Userfault || plan.Architecture != Architecture.X86)
        )
        {
            throw new FormatException("memory: guest-memfd needs mode userfault and arch x86");
        }

        if (plan.HostAccesses > 0 && plan.Mode == Actors.FaultMode.Userfault)
            throw new FormatException("host-accesses: mode userfault does not catch them; use both or userfaultfd");
        if (!plan.IsClustered && plan.FetcherNodes + plan.OtherDestinations > 0)
            throw new FormatException("source-nodes: a cluster needs one at least");
        if (
            plan is { OtherDestinations: > 0, ResolvesSplits: true }
            && plan.Faults.Any(static f => PlanGenerator.Splits.Contains(f.Type))
        )
        {
            throw new FormatException(
                "resolves-splits: of two destinations on two sides one would be lost; leave faults that split the "
                    + "cluster out"
            );
        }

        if (!plan.Overlapping && plan.Vcpus > plan.Pages)
            throw new FormatException($"vcpus: {plan.Vcpus} cannot share {plan.Pages} pages; set overlapping = on");
    }

    private static Config Parse(string hocon)
    {
        try
        {
            return ConfigurationFactory.ParseString(hocon);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new FormatException($"is not HOCON: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static Actors.BackgroundOrder Push(string value) =>
        PlanNames.Parse<Actors.BackgroundOrder>(value) switch
        {
            Actors.BackgroundOrder.Recorded => throw new FormatException("a plan has no recorded working set"),
            var order => order,
        };

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(bool isOn) => isOn ? "on" : "off";

    private static bool Switch(string value) =>
        value switch
        {
            "on" or "true" => true,
            "off" or "false" => false,
            _ => throw new FormatException($"'{value}' is neither on nor off"),
        };

    private static int Int(string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= least
        && number <= most
            ? number
            : throw new FormatException($"'{value}' is no number from {least} to {most}");

    private static ulong Unsigned(string value) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"'{value}' is no number");

    private sealed record Key(string Name, Func<SwarmPlan, string> Write, Func<SwarmPlan, string, SwarmPlan> Read);
}
