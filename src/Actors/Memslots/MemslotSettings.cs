namespace Userfault.Actors;

/// <summary>How a memslot works; handed from a migration to each of its memslots as it is.</summary>
public sealed record MemslotSettings
{
    /// <summary>Table entries per batch of a zap, a split or a recovery.</summary>
    public int WorkBudget { get; init; } = 512;

    /// <summary>Pages around a fault that are fetched with it, in the background; 0 is demand alone.</summary>
    public int LocalityPages { get; init; }

    /// <summary>userfaultfd descriptors, each registered over an equal share of the slot.</summary>
    public int UffdDescriptors { get; init; } = 1;

    /// <summary>Reader actors per descriptor.</summary>
    public int UffdReaders { get; init; } = 1;
}
