namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The KVM_MEM_* bits, written by hand from the uAPI: the model's own constants are under test.</summary>
public static class RegionFlags
{
    public const uint LogDirtyPages = 1 << 0;
    public const uint ReadOnly = 1 << 1;
    public const uint GuestMemfd = 1 << 2;
    public const uint Userfault = 1 << 3;

    public static string Describe(uint flags)
    {
        if (flags == 0)
            return "-";
        var names = new List<string>();
        foreach (
            var (bit, name) in new[]
            {
                (LogDirtyPages, "LOG_DIRTY_PAGES"),
                (ReadOnly, "READONLY"),
                (GuestMemfd, "GUEST_MEMFD"),
                (Userfault, "USERFAULT"),
            }
        )
        {
            if ((flags & bit) != 0)
                names.Add(name);
            flags &= ~bit;
        }

        if (flags != 0)
            names.Add($"0x{flags:x}");
        return string.Join('|', names);
    }
}
