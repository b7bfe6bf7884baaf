namespace Userfault.Mmu.Tests.Oracle;

/// <summary>One call of a program: the closed vocabulary that both the kernel and the model understand.</summary>
public abstract record KvmCall
{
    private KvmCall() { }

    /// <summary>A bitmap address of NULL.</summary>
    public static HostAddress NoBitmap => new(HostArea.Absolute, 0);

    /// <summary>KVM_SET_USER_MEMORY_REGION, or REGION2 where <paramref name="Second"/>.</summary>
    public sealed record SetRegion(
        bool Second,
        uint Slot,
        uint Flags,
        ulong Gpa,
        ulong Size,
        HostAddress Hva,
        MemfdKind Memfd,
        ulong MemfdOffset,
        HostAddress Bitmap
    ) : KvmCall
    {
        public override string ToString()
        {
            var text =
                $"{(Second ? "set_region2" : "set_region")} {new SlotId(Slot)} gpa 0x{Gpa:x} size 0x{Size:x} "
                + $"hva {Hva} flags {RegionFlags.Describe(Flags)}";
            if ((Flags & RegionFlags.GuestMemfd) != 0)
                text += $" memfd {Memfd}+0x{MemfdOffset:x}";
            if ((Flags & RegionFlags.Userfault) != 0)
            {
                // Where no area is named, the address is one within the memory for bitmaps.
                text += Bitmap.Area == HostArea.Absolute ? $" bitmap {Bitmap}" : $" bitmap +0x{Bitmap.Offset:x}";
            }
            return text;
        }
    }

    /// <summary>KVM_GET_DIRTY_LOG.</summary>
    public sealed record GetDirtyLog(uint Slot) : KvmCall
    {
        public override string ToString() => $"get_dirty_log {new SlotId(Slot)}";
    }

    /// <summary>KVM_CLEAR_DIRTY_LOG with the words of <paramref name="Mask"/> repeated over the pages.</summary>
    public sealed record ClearDirtyLog(uint Slot, ulong FirstPage, uint Pages, ulong Mask) : KvmCall
    {
        public override string ToString() =>
            $"clear_dirty_log {new SlotId(Slot)} first {FirstPage} pages {Pages} mask 0x{Mask:x}";
    }

    /// <summary>KVM_ENABLE_CAP.</summary>
    public sealed record EnableCap(uint Cap, uint Flags, ulong Argument) : KvmCall
    {
        public override string ToString() => $"enable_cap {Cap} flags {Flags} argument 0x{Argument:x}";
    }

    /// <summary>KVM_CHECK_EXTENSION.</summary>
    public sealed record CheckExtension(uint Cap) : KvmCall
    {
        public override string ToString() => $"check_extension {Cap}";
    }

    /// <summary>KVM_RUN of one instruction that reads, writes or jumps to <paramref name="Gpa"/>.</summary>
    public sealed record Run(Access Access, ulong Gpa, int Bytes, ulong Value) : KvmCall
    {
        public override string ToString() =>
            Access switch
            {
                Access.Write => $"run write{Bytes} gpa 0x{Gpa:x} value 0x{Value:x}",
                Access.Execute => $"run execute gpa 0x{Gpa:x}",
                _ => $"run read{Bytes} gpa 0x{Gpa:x}",
            };
    }

    /// <summary>KVM_PRE_FAULT_MEMORY.</summary>
    public sealed record PreFault(ulong Gpa, ulong Size, ulong Flags) : KvmCall
    {
        public override string ToString() => $"pre_fault gpa 0x{Gpa:x} size 0x{Size:x} flags {Flags}";
    }

    /// <summary>Sets or clears bits of one word of the userfault bitmap: user space's own doing.</summary>
    public sealed record ChangeBits(ulong Word, ulong Mask, bool Set) : KvmCall
    {
        public override string ToString() => $"{(Set ? "set" : "clear")}_bits word {Word} mask 0x{Mask:x}";
    }
}
