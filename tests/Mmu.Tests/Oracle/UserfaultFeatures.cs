namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// What programs try of the USERFAULT flag, each by its name: on a kernel without the flag all are left out, elsewhere
/// each is counted, so that a run says what it covered.
/// </summary>
public static class UserfaultFeatures
{
    private const uint Log = RegionFlags.LogDirtyPages;
    private const uint Flag = RegionFlags.Userfault;

    private static readonly Feature[] All =
    [
        new("a bitmap at an address that is no multiple of 8", (_, region) => region.Bitmap.Offset % 8 != 0),
        new("a bitmap that crosses a page", (_, region) => IsMapped(region) && Crosses(region)),
        new("a word of a bitmap that crosses a page", (_, region) => HasSplitWord(region)),
        new("an unreadable page behind a readable one", (_, region) => IsMapped(region) && IsCut(region)),
        new("an unreadable bitmap", (_, region) => IsUnreadable(region)),
        new("no bitmap (NULL)", (_, region) => region.Bitmap == KvmCall.NoBitmap),
        new("a bitmap in the kernel's half", (_, region) => IsAbsolute(region) && (long)region.Bitmap.Offset < 0),
        new("the flag turned on", (old, region) => old is not null && (region.Flags & ~old.Flags & Flag) != 0),
        new("the flag turned off", (old, region) => old is not null && (old.Flags & ~region.Flags & Flag) != 0),
        new("the flag and dirty logging toggled at once", (old, region) => Toggles(old, region) == (Log | Flag)),
        new(
            "dirty logging toggled beside the flag",
            (old, region) => Stays(old, region) && Toggles(old, region) == Log
        ),
        new("another bitmap with the same flags", (old, region) => Swaps(old, region) && Toggles(old, region) == 0),
        new("another bitmap with other flags", (old, region) => Swaps(old, region) && Toggles(old, region) != 0),
        new("a slot moved with the flag", (old, region) => Stays(old, region) && old!.Gpa != region.Gpa),
        new("the flag on READONLY memory", (_, region) => (region.Flags & RegionFlags.ReadOnly) != 0),
        new("the flag on a GUEST_MEMFD slot", (_, region) => (region.Flags & RegionFlags.GuestMemfd) != 0),
    ];

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => All.Select(feature => feature.Name);

    /// <summary>The names of what a call tries.</summary>
    /// <param name="old">The slot's region before; null where there is none.</param>
    /// <param name="region">The call.</param>
    public static IEnumerable<string> Of(KvmCall.SetRegion? old, KvmCall.SetRegion region)
    {
        ArgumentNullException.ThrowIfNull(region);
        var hasFlag = region.Second && ((region.Flags | (old?.Flags ?? 0)) & Flag) != 0;
        return hasFlag && region.Size != 0
            ? All.Where(feature => feature.IsIn(old, region)).Select(feature => feature.Name)
            : [];
    }

    private static bool Has(KvmCall.SetRegion? region) => region is not null && (region.Flags & Flag) != 0;

    private static bool Stays(KvmCall.SetRegion? old, KvmCall.SetRegion region) => Has(old) && Has(region);

    private static uint Toggles(KvmCall.SetRegion? old, KvmCall.SetRegion region) =>
        old is null ? 0 : old.Flags ^ region.Flags;

    private static bool Swaps(KvmCall.SetRegion? old, KvmCall.SetRegion region) =>
        Stays(old, region) && old!.Gpa == region.Gpa && old.Bitmap != region.Bitmap;

    private static bool IsAbsolute(KvmCall.SetRegion region) => region.Bitmap.Area == HostArea.Absolute;

    private static bool IsMapped(KvmCall.SetRegion region) =>
        Has(region) && !IsAbsolute(region) && region.Bitmap.Offset < HostLayout.BitmapSize;

    private static bool IsUnreadable(KvmCall.SetRegion region) =>
        Has(region)
        && (
            IsAbsolute(region)
                ? region.Bitmap != KvmCall.NoBitmap && (long)region.Bitmap.Offset >= 0
                : region.Bitmap.Offset >= HostLayout.BitmapSize
        );

    private static ulong End(KvmCall.SetRegion region) =>
        region.Bitmap.Offset + (((region.Size >> Page.Shift) + 63) / 64 * sizeof(ulong));

    private static bool IsCut(KvmCall.SetRegion region) => End(region) > HostLayout.BitmapSize;

    private static bool Crosses(KvmCall.SetRegion region) =>
        region.Bitmap.Offset >> Page.Shift != (End(region) - 1) >> Page.Shift;

    private static bool HasSplitWord(KvmCall.SetRegion region) =>
        IsMapped(region) && region.Bitmap.Offset % 8 != 0 && Crosses(region);

    private sealed record Feature(string Name, Func<KvmCall.SetRegion?, KvmCall.SetRegion, bool> IsIn);
}
