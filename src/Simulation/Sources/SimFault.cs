namespace Userfault.Simulation;

/// <summary>What goes wrong with one request. See <see cref="SimSourceFaults"/>.</summary>
internal enum SimFault
{
    None,
    Short,
    WrongPage,
    Duplicate,
    Late,
    Never,
    Refuse,
    Break,
    Corrupt,
}
