namespace Userfault.Simulation;

/// <summary>
/// When a mailbox run that is ready has its turn: by the step at which it became ready plus what the seed adds, then by
/// the hash behind that. The order in which mailboxes became ready within a step has no part in it: Akka goes through
/// its children in an order that differs from process to process.
/// </summary>
internal readonly record struct RunOrder(ulong Turn, ulong Hash) : IComparable<RunOrder>
{
    public int CompareTo(RunOrder other) =>
        Turn != other.Turn ? Turn.CompareTo(other.Turn) : Hash.CompareTo(other.Hash);
}
