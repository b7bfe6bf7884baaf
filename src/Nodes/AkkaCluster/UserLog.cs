using Akka.Event;

namespace Userfault.Nodes;

/// <summary>
/// Formats log events of the actor systems. Akka.Remote, Akka.Cluster and DotNetty log what other nodes and connections
/// do: a peer went away, a connection is retried, a stranger sent garbage. The user cannot act on these, and the
/// command reports the consequences itself: which node admitted this one, that it was cut off, that no source is left.
/// These lines appear only if <c>akka.loglevel</c> is INFO or DEBUG. Lines that report a defect of this process always
/// appear.
/// </summary>
public static class UserLog
{
    /// <summary>Maximum length of a line.</summary>
    public const int MaxChars = 1000;

    private const string Akka = "Akka";

    // Assemblies of the engine's own loggers.
    private static readonly string[] Engine = ["Akka.Remote", "Akka.Cluster", "Akka.Cluster.Tools"];

    // Log sources of the engine in Akka's core: named loggers, and failures of the engine's actors, which their
    // supervisors log.
    private static readonly string[] EngineNames = ["remoting", "Cluster", "CoordinatedShutdown"];

    private static readonly string[] EnginePaths =
    [
        "/system/endpointManager",
        "/system/transports",
        "/system/cluster",
        "/system/distributedPubSubMediator",
        "/system/remote-watcher",
    ];

    // An actor of this project that Akka.Cluster starts as one of its own.
    private const string DowningPath = "/downingProvider";

    // The engine's errors that neither a peer nor a broken connection can cause, by class and template.
    private static readonly (string Class, string Template)[] Defects =
    [
        ("EndpointWriter", "Serialization failed"),
        ("EndpointWriter", "Transient association error"),
        ("ClusterCoreSupervisor", "Cluster node [{0}] crashed"),
    ];

    /// <summary>Formats an event.</summary>
    /// <param name="said">The event.</param>
    /// <param name="isDetailed">Is everything shown, with its source?</param>
    /// <returns>One line; null if the event is not shown.</returns>
    public static string? LineOf(LogEvent said, bool isDetailed)
    {
        ArgumentNullException.ThrowIfNull(said);
        if (!isDetailed && !IsForUser(said))
            return null;
        var level = said.LogLevel().ToString()[..^"Level".Length].ToLowerInvariant();
        var text = said.Message?.ToString() ?? "";
        var source = isDetailed ? $"[{said.LogSource}] " : "";
        // The message of a failed actor is that of its exception.
        var cause =
            said.Cause is { } e && !text.Contains(e.Message, StringComparison.Ordinal)
                ? $": {e.GetType().Name}: {e.Message}"
                : "";
        // Some of these lines quote a peer, such as its manifest: control characters are removed and the length is
        // bounded.
        var line = string.Concat(
                $"userfault: {level}: {source}{text}{cause}".Select(static c => char.IsControl(c) ? ' ' : c)
            )
            .TrimEnd();
        return line.Length <= MaxChars ? line : line[..MaxChars] + "...";
    }

    private static bool IsForUser(LogEvent said) =>
        !IsEngine(said) || (said.LogLevel() == LogLevel.ErrorLevel && IsDefect(said));

    private static bool IsEngine(LogEvent said)
    {
        var assembly = said.LogClass.Assembly.GetName().Name!;
        if (Engine.Contains(assembly))
            return true;
        if (assembly != Akka || said.LogSource.EndsWith(DowningPath, StringComparison.Ordinal))
            return false;
        return Array.Exists(EngineNames, name => said.LogSource.StartsWith(name, StringComparison.Ordinal))
            || Array.Exists(EnginePaths, path => said.LogSource.Contains(path, StringComparison.Ordinal));
    }

    private static bool IsDefect(LogEvent said)
    {
        var template = said.Message is LogMessage message ? message.Format : said.Message?.ToString() ?? "";
        return Array.Exists(
            Defects,
            d => d.Class == said.LogClass.Name && template.StartsWith(d.Template, StringComparison.Ordinal)
        );
    }
}
