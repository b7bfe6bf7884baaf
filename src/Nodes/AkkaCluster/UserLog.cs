using Akka.Event;

namespace Userfault.Nodes;

/// <summary>
/// Makes lines of the actor systems' log. Akka.Remote, Akka.Cluster and DotNetty log what other nodes and connections do to them:
/// that a peer went away, that it is tried again, that a stranger sent garbage. A user can do nothing about it, and the command says
/// in its own words what comes of it: who let this node in, that it was cut off, that no source is left. These lines appear where
/// <c>akka.loglevel</c> is INFO or DEBUG. Lines that tell of a defect of this process always appear.
/// </summary>
public static class UserLog
{
    /// <summary>Longest line.</summary>
    public const int MaxChars = 1000;

    private const string Akka = "Akka";

    // Assemblies of the engine's own loggers.
    private static readonly string[] Engine = ["Akka.Remote", "Akka.Cluster", "Akka.Cluster.Tools"];

    // What Akka's core logs in the engine's name: named loggers, and failures of the engine's actors, which their supervisors log.
    private static readonly string[] EngineNames = ["remoting", "Cluster", "CoordinatedShutdown"];

    private static readonly string[] EnginePaths =
        ["/system/endpointManager", "/system/transports", "/system/cluster", "/system/distributedPubSubMediator", "/system/remote-watcher"];

    // An actor of this project that Akka.Cluster starts among its own.
    private const string DowningPath = "/downingProvider";

    // The engine's errors that no peer and no broken connection causes, by their class and template.
    private static readonly (string Class, string Template)[] Defects =
    [
        ("EndpointWriter", "Serialization failed"),
        ("EndpointWriter", "Transient association error"),
        ("ClusterCoreSupervisor", "Cluster node [{0}] crashed"),
    ];

    /// <summary>The line of an event.</summary>
    /// <param name="said">The event.</param>
    /// <param name="isDetailed">Is everything shown, with its source?</param>
    /// <returns>One line; null where the event is not shown.</returns>
    public static string? LineOf(LogEvent said, bool isDetailed)
    {
        ArgumentNullException.ThrowIfNull(said);
        if (!isDetailed && !IsForUser(said)) return null;
        var level = said.LogLevel().ToString()[..^"Level".Length].ToLowerInvariant();
        var text = said.Message?.ToString() ?? "";
        var source = isDetailed ? $"[{said.LogSource}] " : "";
        // A failed actor's message is its exception's.
        var cause = said.Cause is { } e && !text.Contains(e.Message, StringComparison.Ordinal) ? $": {e.GetType().Name}: {e.Message}" : "";
        // What a peer says of itself, such as a manifest, is in some of these lines: it moves no cursor and fills no screen.
        var line = string.Concat($"userfault: {level}: {source}{text}{cause}".Select(static c => char.IsControl(c) ? ' ' : c)).TrimEnd();
        return line.Length <= MaxChars ? line : line[..MaxChars] + "...";
    }

    private static bool IsForUser(LogEvent said) => !IsEngine(said) || (said.LogLevel() == LogLevel.ErrorLevel && IsDefect(said));

    private static bool IsEngine(LogEvent said)
    {
        var assembly = said.LogClass.Assembly.GetName().Name!;
        if (Engine.Contains(assembly)) return true;
        if (assembly != Akka || said.LogSource.EndsWith(DowningPath, StringComparison.Ordinal)) return false;
        return Array.Exists(EngineNames, name => said.LogSource.StartsWith(name, StringComparison.Ordinal))
            || Array.Exists(EnginePaths, path => said.LogSource.Contains(path, StringComparison.Ordinal));
    }

    private static bool IsDefect(LogEvent said)
    {
        var template = said.Message is LogMessage message ? message.Format : said.Message?.ToString() ?? "";
        return Array.Exists(Defects, d => d.Class == said.LogClass.Name && template.StartsWith(d.Template, StringComparison.Ordinal));
    }
}
