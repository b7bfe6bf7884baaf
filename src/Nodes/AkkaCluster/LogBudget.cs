using Akka.Event;

namespace Userfault.Nodes;

/// <summary>
/// Bounds the warnings and errors of Akka.NET's own classes, which a peer can cause at will. Lines beyond the budget of
/// a class are dropped until the next minute. Lines of this project's own classes are never dropped. Takes effect only
/// with loggers that consult <c>Settings.LogFilter</c>; Akka.NET's own loggers do.
/// </summary>
internal sealed class LogBudget : LogFilterBase
{
    /// <summary>Maximum lines per minute, per class and level.</summary>
    public const int MaxLines = 30;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Dictionary<(Type Class, LogLevel Level), (DateTime Since, int Lines)> _spent = [];

    /// <inheritdoc/>
    public override LogFilterType FilterType => LogFilterType.Source;

    /// <inheritdoc/>
    public override LogFilterDecision ShouldKeepMessage(LogEvent content, string? expandedMessage = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        var isAkka = content.LogClass.Namespace?.StartsWith("Akka", StringComparison.Ordinal) == true;
        if (!isAkka || content.LogLevel() < LogLevel.WarningLevel)
            return LogFilterDecision.NoDecision;

        // Several loggers may call at the same time.
        lock (_spent)
        {
            var key = (content.LogClass, content.LogLevel());
            var isNew = !_spent.TryGetValue(key, out var spent) || content.Timestamp - spent.Since >= Window;
            if (isNew)
                spent = (content.Timestamp, 0);
            _spent[key] = (spent.Since, spent.Lines + 1);
            return spent.Lines < MaxLines ? LogFilterDecision.NoDecision : LogFilterDecision.Drop;
        }
    }
}
