using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>All that belongs to one VM, whoever serves it. Owns what it holds.</summary>
/// <param name="Id">A number for messages, the same in a standby.</param>
/// <param name="Uffd">The VM's userfaultfd.</param>
/// <param name="Map">Its regions.</param>
/// <param name="State">Its bitmaps.</param>
/// <param name="Socket">The connection to its monitor.</param>
/// <param name="Monitor">Its monitor's process.</param>
/// <param name="Memfd">The secret-free form's descriptors; null in the main form.</param>
public sealed record VmDescriptors(
    int Id,
    Userfaultfd Uffd,
    RegionMap Map,
    VmState State,
    UnixSocket Socket,
    PidFd Monitor,
    GuestMemfdSide? Memfd
) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Uffd.Dispose();
        State.Dispose();
        Socket.Dispose();
        Monitor.Dispose();
        Memfd?.Dispose();
    }
}
