using System.CommandLine;

namespace Userfault.Cli;

/// <summary>What was given to a command that migrates: the options it has, their values, and the settings.</summary>
/// <param name="Options">The options.</param>
/// <param name="Result">What was given of them.</param>
/// <param name="Settings">akka.hocon, the file laid over it, and the options over both.</param>
internal sealed record MigrateArguments(MigrateOptions Options, ParseResult Result, Settings Settings)
{
    /// <summary>Does a file or a size on the command line say which image?</summary>
    public bool NamesImage => Of(Options.Image) is not null || Of(Options.Synthetic) is not null;

    /// <summary>An option's value; null or false where it was not given.</summary>
    public T? Of<T>(Option<T> option) => Result.GetValue(option);

    /// <summary>Refuses options that the chosen kind of migration has no use for.</summary>
    /// <param name="why">What is said after the option's name.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="CliException">One was given.</exception>
    public void Refuse(string why, params ReadOnlySpan<Option<string>> options)
    {
        foreach (var option in options)
        {
            if (Of(option) is not null)
                throw new CliException($"{option.Name}: {why}");
        }
    }
}
