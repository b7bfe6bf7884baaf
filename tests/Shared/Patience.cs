using System.Globalization;

namespace Userfault.Tests;

/// <summary>
/// How long tests wait for what is certain to come, before they fail by their name. Generous, since machines are slow; whoever
/// expects a test to fail says by an environment variable how long is long enough.
/// </summary>
internal static class Patience
{
    /// <summary>The variable: seconds.</summary>
    public const string Variable = "USERFAULT_PATIENCE_S";

    private static readonly TimeSpan Most = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } seconds
        ? TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture))
        : TimeSpan.MaxValue;

    /// <summary>A wait: as long as usual, or as long as the variable permits.</summary>
    public static TimeSpan Of(TimeSpan usual) => usual < Most ? usual : Most;

    /// <summary>A wait in ms.</summary>
    public static int OfMs(int usual) => (int)Of(TimeSpan.FromMilliseconds(usual)).TotalMilliseconds;
}
