using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Hashes that are the same in every process, on every machine, with and without vector instructions, unlike those of
/// the framework.
/// </summary>
internal static class SimHash
{
    public const ulong Start = 14695981039346656037;

    /// <summary>FNV-1a over the text's UTF-16 units, mixed.</summary>
    public static ulong Of(string text)
    {
        var hash = Start;
        foreach (var unit in text)
            hash = (hash ^ unit) * 1099511628211;
        return Mix64.Of(hash);
    }

    /// <summary>Adds another word; the order matters.</summary>
    public static ulong Add(ulong hash, ulong word) => (ulong.RotateLeft(hash, 23) ^ word) * 0x9E3779B97F4A7C15;
}
