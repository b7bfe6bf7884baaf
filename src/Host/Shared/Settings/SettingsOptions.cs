using System.CommandLine;

namespace Userfault.Cli;

/// <summary>The options that lay a file, and single keys, over akka.hocon.</summary>
internal sealed class SettingsOptions
{
    public Option<string> ConfigFile { get; } = new("--config") { Description = "HOCON file laid over akka.hocon" };

    public Option<string[]> Set { get; } =
        new("--set")
        {
            Description =
                "one key of akka.hocon, over the file of --config: KEY=VALUE, such as userfault.fetcher.count=4; may "
                + "be repeated",
            HelpName = "KEY=VALUE",
            Arity = ArgumentArity.OneOrMore,
        };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(ConfigFile);
        command.Options.Add(Set);
    }

    /// <summary>Loads akka.hocon with what was given laid over it.</summary>
    /// <exception cref="CliException">A file that is missing, is no HOCON, or a key that does not exist.</exception>
    public Settings Load(ParseResult result) => Settings.Load(result.GetValue(ConfigFile), Assignments(result));

    /// <summary>What was given, as arguments of a child process.</summary>
    public IEnumerable<string> Arguments(ParseResult result)
    {
        string[] file = result.GetValue(ConfigFile) is { } path ? [ConfigFile.Name, path] : [];
        return [.. file, .. Assignments(result).SelectMany(assignment => new[] { Set.Name, assignment })];
    }

    private string[] Assignments(ParseResult result) => result.GetValue(Set) ?? [];
}
