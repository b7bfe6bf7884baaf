namespace Userfault.Actors;

/// <summary>
/// Everything a migration receives from outside; from its VM it hears <see cref="VmProtocol"/>'s facts, and from actors
/// that it asked, their reports.
/// </summary>
public static class MigrationProtocol
{
    /// <summary>A message for a migration.</summary>
    public interface ICommand;

    /// <summary>Create the slots, start the guest, bring its memory.</summary>
    public sealed record Start : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Start Instance = new();
    }

    /// <summary>End it as it is; the report says what was not finished.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record Stop(string Reason) : ICommand;

    /// <summary>Let a VM go on that was paused by a failure.</summary>
    public sealed record Continue : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Continue Instance = new();
    }

    /// <summary>Tell the sender where it is: <see cref="MigrationProgress"/>.</summary>
    public sealed record GetProgress : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetProgress Instance = new();
    }

    internal sealed record Tick : ICommand
    {
        public static readonly Tick Instance = new();
    }

    internal sealed record VerifySome : ICommand
    {
        public static readonly VerifySome Instance = new();
    }

    internal sealed record HostAccessesDone(long Made, long Wrong) : ICommand;
}
