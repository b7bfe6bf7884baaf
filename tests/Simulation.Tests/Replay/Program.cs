using System.Globalization;

namespace Userfault.Simulation.Tests;

/// <summary>
/// What the tests start as a process of its own: <c>dotnet exec Userfault.Simulation.Tests.dll SCENARIO SEED</c> prints
/// the run's hash.
/// </summary>
internal static class Program
{
    public static int Main(string[] args)
    {
        if (args is not [var scenario, var seed])
            return 2;
        Console.WriteLine(
            Scenarios
                .Run(scenario, ulong.Parse(seed, CultureInfo.InvariantCulture))
                .ToString("x16", CultureInfo.InvariantCulture)
        );
        return 0;
    }
}
