namespace Userfault.Capacity;

/// <summary>The threads that resolve faults, as far as measurements distinguish them.</summary>
public enum ReaderKind
{
    /// <summary>No reader takes part: vCPUs resolve their own faults.</summary>
    None,

    /// <summary>One reader of one descriptor.</summary>
    One,

    /// <summary>Several readers of one descriptor.</summary>
    Several,

    /// <summary>A descriptor and a reader per vCPU.</summary>
    Own,
}
