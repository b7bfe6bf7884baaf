namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The kinds of host memory that a program's regions point at.</summary>
public enum HostArea
{
    /// <summary>Private anonymous memory, populated, readable and writable, 4 KiB host pages.</summary>
    Writable,

    /// <summary>The same in 2 MiB host pages.</summary>
    Huge,

    /// <summary>The same as writable, but mapped read-only: the host page cannot be written.</summary>
    ReadOnly,

    /// <summary>In user space, but nothing can be read there.</summary>
    Hole,

    /// <summary>The guest's code, stack and page tables.</summary>
    Boot,

    /// <summary>An address by its number: unaligned, kernel half, at the edge of user space.</summary>
    Absolute,
}
