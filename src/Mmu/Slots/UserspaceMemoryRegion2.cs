using System.Runtime.InteropServices;

namespace Userfault.Mmu;

/// <summary>
/// <c>struct kvm_userspace_memory_region2</c> as a VMM writes it, byte for byte: 160 bytes, little endian. The older
/// <c>struct kvm_userspace_memory_region</c> is its first 32 bytes.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
public struct UserspaceMemoryRegion2
{
    /// <summary>Size of the structure in bytes.</summary>
    public const int SizeBytes = 160;

    /// <summary>Size in bytes of the older structure, which ends after <see cref="UserspaceAddress"/>.</summary>
    public const int Version1SizeBytes = 32;

    /// <summary>Address space and slot id.</summary>
    [FieldOffset(0)]
    public uint Slot;

    /// <summary><see cref="MemslotFlags"/>; bits that are not flags of the model fail the call.</summary>
    [FieldOffset(4)]
    public uint Flags;

    /// <summary>Guest physical address of the first byte.</summary>
    [FieldOffset(8)]
    public ulong GuestPhysicalAddress;

    /// <summary>Size in bytes; 0 deletes the slot.</summary>
    [FieldOffset(16)]
    public ulong MemorySize;

    /// <summary>Host virtual address of the first byte.</summary>
    [FieldOffset(24)]
    public ulong UserspaceAddress;

    /// <summary>Offset into the guest_memfd, in bytes.</summary>
    [FieldOffset(32)]
    public ulong GuestMemfdOffset;

    /// <summary>Descriptor of the guest_memfd.</summary>
    [FieldOffset(40)]
    public uint GuestMemfd;

    /// <summary>Padding; ignored.</summary>
    [FieldOffset(44)]
    public uint Pad1;

    /// <summary>Host virtual address of the userfault bitmap: one bit per page, 64-bit words.</summary>
    [FieldOffset(48)]
    public ulong UserfaultBitmap;

    /// <summary>The flags as the model's enum; unknown bits are kept.</summary>
    public readonly MemslotFlags MemslotFlags => (MemslotFlags)Flags;

    /// <summary>The slot field as a slot id.</summary>
    public readonly SlotId SlotId => new(Slot);

    /// <summary>Copies the structure out of a caller's bytes (<c>copy_from_user</c>).</summary>
    /// <returns>False if there are too few bytes, which is EFAULT to the caller.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out UserspaceMemoryRegion2 region) =>
        MemoryMarshal.TryRead(bytes, out region);

    /// <summary>Copies the older structure out of a caller's bytes; every later field is zero.</summary>
    /// <returns>False if there are too few bytes, which is EFAULT to the caller.</returns>
    public static bool TryReadVersion1(ReadOnlySpan<byte> bytes, out UserspaceMemoryRegion2 region)
    {
        region = default;
        if (bytes.Length < Version1SizeBytes)
            return false;
        bytes[..Version1SizeBytes].CopyTo(MemoryMarshal.AsBytes(new Span<UserspaceMemoryRegion2>(ref region)));
        return true;
    }

    /// <summary>Writes the structure, padding included, into <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has fewer than 160 bytes.</exception>
    public readonly void Write(Span<byte> bytes) => MemoryMarshal.Write(bytes, in this);
}
