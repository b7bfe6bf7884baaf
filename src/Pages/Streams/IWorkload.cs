namespace Userfault.Pages;

/// <summary>
/// What a whole VM does: one access stream a vCPU, all fixed by the settings. Streams can be opened again.
/// </summary>
public interface IWorkload
{
    /// <summary>A name for messages and reports.</summary>
    string Name { get; }

    /// <summary>How many vCPUs; their numbers are 0 and up.</summary>
    int Vcpus { get; }

    /// <summary>Pages the guest must have for it.</summary>
    ulong Pages { get; }

    /// <summary>A new stream from the start for one vCPU.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such vCPU.</exception>
    IAccessStream Open(int vcpu);
}
