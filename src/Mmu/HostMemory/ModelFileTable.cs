namespace Userfault.Mmu;

/// <summary>Open files for tests and simulation.</summary>
public sealed class ModelFileTable : IFileTable
{
    private readonly Dictionary<uint, IGuestMemfd?> _files = [];

    /// <summary>Opens a file under a descriptor.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="file">The guest_memfd, or null for a file of another kind.</param>
    public void Open(uint descriptor, IGuestMemfd? file) => _files[descriptor] = file;

    /// <summary>Closes a descriptor. Slots that are bound keep the file.</summary>
    public void Close(uint descriptor) => _files.Remove(descriptor);

    /// <inheritdoc/>
    public Errno Find(uint descriptor, out IGuestMemfd? file)
    {
        if (!_files.TryGetValue(descriptor, out file))
            return Errno.EBADF;
        return file is null ? Errno.EINVAL : Errno.None;
    }
}
