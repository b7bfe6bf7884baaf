namespace Userfault.Handler.Tests;

/// <summary>What the memory of a monitor is.</summary>
public enum MemoryKind
{
    /// <summary>Private.</summary>
    Private,

    /// <summary>Shared, its file allocated whole and handed over.</summary>
    File,

    /// <summary>The same with a file of holes.</summary>
    Holes,
}
