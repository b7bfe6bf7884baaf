namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A host address by area and offset, so that a printed program can be read and run again.</summary>
/// <param name="Area">Where the offset counts from.</param>
/// <param name="Offset">Bytes; for <see cref="HostArea.Absolute"/> the address itself.</param>
public readonly record struct HostAddress(HostArea Area, ulong Offset)
{
    public override string ToString() => Area == HostArea.Absolute ? $"0x{Offset:x}" : $"{Area}+0x{Offset:x}";
}
