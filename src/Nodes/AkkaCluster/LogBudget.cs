using Akka.Event;

namespace Userfault.Nodes;

/// <summary>
/// Bounds the warnings and errors of Akka.NET's own classes: a line that a peer can cause once it can cause a million times. What
/// is beyond a class's budget is dropped until the next minute; this node's own lines are never.
/// </summary>
internal sealed class LogBudget : LogFilterBase
{
    /// <summary>Lines of each class and level in a minute.</summary>
    public const int MaxLines = 30;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Dictionary<(Type Class, LogLevel Level), (DateTime Since, int Lines)> _spent = [];

    /// <inheritdoc/>
    public override LogFilterType FilterType => LogFilterType.Source;

    /// <inheritdoc/>
    public override LogFilterDecision ShouldKeepMessage(LogEvent content, string? expandedMessage = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (content.LogLevel() < LogLevel.WarningLevel || content.LogClass.Namespace?.StartsWith("Akka", StringComparison.Ordinal) != true)
        {
            return LogFilterDecision.NoDecision;
        }

        // Each logger asks on a thread of its own.
        lock (_spent)
        {
            var key = (content.LogClass, content.LogLevel());
            var isNew = !_spent.TryGetValue(key, out var spent) || content.Timestamp - spent.Since >= Window;
            if (isNew) spent = (content.Timestamp, 0);
            _spent[key] = (spent.Since, spent.Lines + 1);
            return spent.Lines < MaxLines ? LogFilterDecision.NoDecision : LogFilterDecision.Drop;
        }
    }
}
