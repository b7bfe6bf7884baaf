namespace Userfault.Mmu;

/// <summary>What an access does, or what a mapping permits. The values are EPT's permission bits.</summary>
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
