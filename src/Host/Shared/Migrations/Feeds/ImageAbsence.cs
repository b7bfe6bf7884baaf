namespace Userfault.Cli;

/// <summary>What a destination does while no node of its cluster serves the image.</summary>
internal enum ImageAbsence
{
    /// <summary>It gives up after the join timeout.</summary>
    Fail,

    /// <summary>It waits, however long it takes.</summary>
    Wait,
}
