namespace Userfault.Hostile.Tests;

/// <summary>Waits for a condition, far longer than any machine needs.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns once the condition holds.</summary>
    public static async Task Holds(Func<bool> holds, Func<string> otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience) Assert.Fail(otherwise());
            await Task.Delay(Poll);
        }
    }
}
