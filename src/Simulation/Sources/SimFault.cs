namespace Userfault.Simulation;

/// <summary>The fault of one request. See <see cref="SimSourceFaults"/>.</summary>
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
