using System.CommandLine;
using System.Globalization;
using Userfault.Simulation;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault simulate</c>.</summary>
internal sealed class SimulateOptions
{
    private readonly Argument<string?> _scenario = new("scenario.hocon")
    {
        Description = "a plan, or keys that every plan gets",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _seed = new("--seed") { Description = "run this seed alone (default 1)" };
    private readonly Option<string?> _seeds = new("--seeds") { Description = "run seeds A..B, both included" };
    private readonly Option<string?> _faults = new("--faults")
    {
        Description = "faults that plans may have: all, none, or names separated by commas",
    };
    private readonly Option<string?> _nodes = new("--nodes")
    {
        Description = "one process or many nodes: one, many, or mixed as the seed has it (default)",
    };
    private readonly Option<string?> _soak = new("--soak")
    {
        Description = "go on with further seeds for this long, such as 8h",
    };
    private readonly Option<string?> _plan = new("--plan")
    {
        Description = "where the shortest failing plan is written (default userfault-failure.hocon)",
    };
    private readonly Option<string?> _json = new("--json")
    {
        Description = "write the runs that a line is written about as JSON to this file; - is standard output",
    };
    private readonly Option<int> _failures = new("--failures")
    {
        Description = "stop after this many failures (default 1)",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<int> _shrink = new("--shrink")
    {
        Description = "runs to spend on a shorter plan that fails, 0 for none (default 600)",
        DefaultValueFactory = _ => 600,
    };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_scenario);
        foreach (var option in new Option[] { _seed, _seeds, _faults, _nodes, _soak, _plan, _json, _failures, _shrink })
            command.Options.Add(option);
    }

    /// <exception cref="CliException">A value cannot be used.</exception>
    public SimulateSettings Read(ParseResult result)
    {
        var scenario = result.GetValue(_scenario) is { } file ? Load(file) : null;
        var (first, last) = Seeds(result, scenario);
        var settings = new SimulateSettings(
            first,
            last,
            Nodes(result.GetValue(_nodes)),
            result.GetValue(_soak) is { } soak
                ? TimeSpan.FromMicroseconds(Units.DurationNs(_soak.Name, soak) / 1e3)
                : null,
            scenario,
            result.GetValue(_scenario),
            Faults(result.GetValue(_faults)),
            result.GetValue(_plan) ?? "userfault-failure.hocon",
            new Outputs(result.GetValue(_json), null, null),
            Math.Max(1, result.GetValue(_failures)),
            Math.Max(0, result.GetValue(_shrink))
        );
        // What is wrong with the scenario alone is told before anything runs.
        _ = settings.PlanOf(settings.First);
        return settings;
    }

    private (ulong First, ulong Last) Seeds(ParseResult result, string? scenario)
    {
        if (result.GetValue(_seeds) is { } range)
        {
            if (result.GetValue(_seed) is not null)
                throw new CliException($"{_seed.Name}: --seeds is given as well; give one of them");
            var ends = range.Split("..");
            if (
                ends.Length == 2
                && TryParse(ends[0], out var first)
                && TryParse(ends[1], out var last)
                && first <= last
            )
            {
                return (first, last);
            }

            throw Units.Bad(_seeds.Name, range, "two numbers such as 1..100, the smaller first");
        }

        if (result.GetValue(_seed) is not { } one)
            return scenario is null ? (1, 1) : Own(scenario);
        return TryParse(one, out var seed)
            ? (seed, seed)
            : throw Units.Bad(_seed.Name, one, "a number from 0 to 2^64 - 1");
    }

    // A plan brings its seed along.
    private static (ulong First, ulong Last) Own(string scenario)
    {
        try
        {
            var seed = PlanText.Overlay(new SwarmPlan(), scenario).Seed;
            return (seed, seed);
        }
        catch (FormatException)
        {
            // Told with the file's name when the first plan is made.
            return (1, 1);
        }
    }

    private static string Load(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{file}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private HashSet<FaultType> Faults(string? names)
    {
        if (names is null or "all")
            return [.. Enum.GetValues<FaultType>()];
        return names == "none" ? [] : [.. names.Split(',').Select(n => Name<FaultType>(_faults.Name, n.Trim()))];
    }

    private bool? Nodes(string? name)
    {
        return name switch
        {
            null or "mixed" => null,
            "one" => false,
            "many" => true,
            _ => throw Units.Bad(_nodes.Name, name, "one, many or mixed"),
        };
    }

    private static T Name<T>(string option, string name)
        where T : struct, Enum
    {
        try
        {
            return PlanText.ValueOf<T>(name);
        }
        catch (FormatException e)
        {
            throw new CliException($"{option}: {e.Message}");
        }
    }

    private static bool TryParse(string text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
