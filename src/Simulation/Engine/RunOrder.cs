namespace Userfault.Simulation;

/// <summary>
/// The turn of a mailbox run that is ready: by the step at which it became ready plus an offset from the seed, then by
/// the hash of that. The order in which mailboxes became ready within a step is ignored: Akka iterates over children in
/// an order that differs from process to process.
/// </summary>
internal readonly record struct RunOrder(ulong Turn, ulong Hash) : IComparable<RunOrder>
{
    public int CompareTo(RunOrder other) =>
        Turn != other.Turn ? Turn.CompareTo(other.Turn) : Hash.CompareTo(other.Hash);
}
