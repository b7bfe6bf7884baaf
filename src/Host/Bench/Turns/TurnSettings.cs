using System.Globalization;

namespace Userfault.Cli;

/// <summary>One VM that a handler is to serve: what is handed over, and how it is touched.</summary>
internal sealed record TurnSettings
{
    /// <summary>The handler's UNIX socket.</summary>
    public required string Socket { get; init; }

    /// <summary>Pages of guest memory, of the size that <see cref="Form"/> has.</summary>
    public required ulong Pages { get; init; }

    /// <summary>What the memory is.</summary>
    public required GuestMemoryForm Form { get; init; }

    /// <summary>Threads that touch it.</summary>
    public required int Touchers { get; init; }

    /// <summary>Threads that compute beside them all the time.</summary>
    public required int Load { get; init; }

    /// <summary>How long a toucher computes between two touches.</summary>
    public required TimeSpan Think { get; init; }

    /// <summary>Is the order of pages random?</summary>
    public required bool IsRandom { get; init; }

    /// <summary>Seed of that order.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How long pages are touched at most.</summary>
    public required TimeSpan Limit { get; init; }

    /// <summary>How long no touch may end before the handler is given up.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>How long to wait for somebody who listens at the socket.</summary>
    public required TimeSpan ConnectPatience { get; init; }

    /// <summary>The same as arguments of the hidden command.</summary>
    public string[] ToArguments() =>
        [
            "--socket",
            Socket,
            "--turn",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Pages},{(int)Form},{Touchers},{Load},{(IsRandom ? 1 : 0)},{Seed},{Limit.Ticks},{Patience.Ticks},"
                    + $"{ConnectPatience.Ticks},{Think.Ticks}"
            ),
        ];

    /// <summary>Reads what <see cref="ToArguments"/> wrote.</summary>
    public static TurnSettings Parse(string socket, string numbers)
    {
        var parts = numbers.Split(',').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new TurnSettings
        {
            Socket = socket,
            Pages = (ulong)parts[0],
            Form = (GuestMemoryForm)parts[1],
            Touchers = (int)parts[2],
            Load = (int)parts[3],
            IsRandom = parts[4] == 1,
            Seed = (ulong)parts[5],
            Limit = new TimeSpan(parts[6]),
            Patience = new TimeSpan(parts[7]),
            ConnectPatience = new TimeSpan(parts[8]),
            Think = new TimeSpan(parts[9]),
        };
    }
}
