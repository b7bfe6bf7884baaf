namespace Userfault.Actors;

/// <summary>
/// Everything a migration receives from outside. In addition it receives the facts of <see cref="VmProtocol"/> from its
/// VM, and the reports that it has requested.
/// </summary>
public static class MigrationProtocol
{
    /// <summary>A message for a migration.</summary>
    public interface ICommand;

    /// <summary>Create the slots, start the guest, fetch its memory.</summary>
    public sealed record Start : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Start Instance = new();
    }

    /// <summary>End the migration as it is; the report states what was not finished.</summary>
    /// <param name="Reason">The reason.</param>
    public sealed record Stop(string Reason) : ICommand;

    /// <summary>Resume a VM that was paused by a failure.</summary>
    public sealed record Continue : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Continue Instance = new();
    }

    /// <summary>Send the current state to the sender: <see cref="MigrationProgress"/>.</summary>
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
