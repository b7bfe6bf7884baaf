using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>All that belongs to one VM, whichever process serves it. Owns what it holds.</summary>
public sealed class VmDescriptors : IDisposable
{
    /// <summary>The descriptors of one VM; takes ownership of them.</summary>
    /// <param name="id">A number for messages, the same in a standby.</param>
    /// <param name="uffd">The VM's userfaultfd.</param>
    /// <param name="map">Its regions.</param>
    /// <param name="state">Its bitmaps.</param>
    /// <param name="socket">The connection to its monitor.</param>
    /// <param name="monitor">Its monitor's process.</param>
    /// <param name="memfd">The secret-free form's descriptors; null in the main form.</param>
    /// <param name="presence">Tells which pages are there; null to ask the kernel about the monitor's process.</param>
    /// <param name="file">The file of its memory, where pages are written into it; else null.</param>
    internal VmDescriptors(
        int id,
        IUserfaultfd uffd,
        RegionMap map,
        VmState state,
        UnixSocket socket,
        PidFd monitor,
        IGuestMemfd? memfd,
        IPagePresence? presence = null,
        IMemoryFile? file = null
    )
    {
        (Id, Uffd, Map, State, Socket, Monitor, Memfd, File) = (id, uffd, map, state, socket, monitor, memfd, file);
        Presence = presence ?? new PageMap(monitor);
    }

    /// <summary>A number for messages, the same in a standby.</summary>
    internal int Id { get; }

    /// <summary>The VM's userfaultfd.</summary>
    internal IUserfaultfd Uffd { get; }

    /// <summary>Its regions.</summary>
    internal RegionMap Map { get; }

    /// <summary>Its bitmaps.</summary>
    internal VmState State { get; }

    /// <summary>The connection to its monitor.</summary>
    internal UnixSocket Socket { get; }

    /// <summary>Its monitor's process.</summary>
    internal PidFd Monitor { get; }

    /// <summary>The secret-free form's descriptors; null in the main form.</summary>
    internal IGuestMemfd? Memfd { get; }

    /// <summary>The file of its memory, where pages are written into it; else null.</summary>
    internal IMemoryFile? File { get; }

    /// <summary>Tells which pages of the memory are there.</summary>
    internal IPagePresence Presence { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Presence.Dispose();
        Uffd.Dispose();
        State.Dispose();
        Socket.Dispose();
        Monitor.Dispose();
        Memfd?.Dispose();
        File?.Dispose();
    }
}
