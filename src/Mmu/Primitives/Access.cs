namespace Userfault.Mmu;

/// <summary>The kind of an access, or the permissions of a mapping. The values are EPT's permission bits.</summary>
[Flags]
public enum Access
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Data read.</summary>
    Read = 1,

    /// <summary>Data write.</summary>
    Write = 2,

    /// <summary>Instruction fetch.</summary>
    Execute = 4,
}
