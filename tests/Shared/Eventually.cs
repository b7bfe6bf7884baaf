using System.Runtime.CompilerServices;

namespace Userfault.Tests;

/// <summary>
/// Waits for a condition that is certain to hold at some time. It looks often at first and less often later, and gives
/// up after <see cref="Patience.Longest"/> with the condition's own text and what the test adds to it.
/// </summary>
internal static class Eventually
{
    private const int MaxPauseMs = 50;

    /// <summary>Returns once the condition holds.</summary>
    /// <param name="condition">Looked at again and again, on the caller's thread or a pool thread.</param>
    /// <param name="state">What a failing test adds: how things stand.</param>
    /// <param name="text">The condition as it was written; the compiler's.</param>
    public static Task Holds(
        Func<bool> condition,
        Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string text = ""
    ) => Holds(() => Task.FromResult(condition()), state, text);

    /// <summary>The same for a condition that takes its time.</summary>
    public static async Task Holds(
        Func<Task<bool>> condition,
        Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string text = ""
    )
    {
        var wait = new Wait(text, state);
        while (!await condition())
            await Task.Delay(wait.NextPauseMs());
    }

    /// <summary>The same on the caller's thread, for tests that must stay on theirs.</summary>
    public static void HoldsHere(
        Func<bool> condition,
        Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string text = ""
    )
    {
        var wait = new Wait(text, state);
        using var never = new ManualResetEventSlim();
        while (!condition())
            never.Wait(wait.NextPauseMs());
    }

    private sealed class Wait(string text, Func<string>? state)
    {
        private readonly long _start = TimeProvider.System.GetTimestamp();
        private int _pauseMs = 1;

        public int NextPauseMs()
        {
            var waited = TimeProvider.System.GetElapsedTime(_start);
            if (waited > Patience.Longest)
                Assert.Fail($"after {waited.TotalSeconds:F0} s this does not hold: {text}; {state?.Invoke()}");
            var pauseMs = _pauseMs;
            _pauseMs = Math.Min(MaxPauseMs, 2 * _pauseMs);
            return pauseMs;
        }
    }
}
