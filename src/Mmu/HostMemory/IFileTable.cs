namespace Userfault.Mmu;

/// <summary>The VMM's open files, as far as a memory region can name them.</summary>
public interface IFileTable
{
    /// <summary>Finds the guest_memfd behind a descriptor.</summary>
    /// <param name="descriptor">The descriptor, as the region carries it.</param>
    /// <param name="file">The file, if it is a guest_memfd of this VM.</param>
    /// <returns>EBADF if the descriptor is not open, EINVAL if it is not a guest_memfd of this VM.</returns>
    Errno Find(uint descriptor, out IGuestMemfd? file);
}
