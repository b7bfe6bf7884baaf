namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// A golden program that some kernels answer: those whose facts are as it says. The answers of those with the USERFAULT
/// flag come from the specification; all others were given by a real kernel.
/// </summary>
/// <param name="Facts">The model's facts.</param>
/// <param name="IsFor">Is it for a kernel with these facts?</param>
/// <param name="Program">The program.</param>
public sealed record GoldenProgramOfKernel(KernelFacts Facts, Func<KernelFacts, bool> IsFor, GoldenProgram Program)
{
    private const uint Log = RegionFlags.LogDirtyPages;
    private const uint Flag = RegionFlags.Userfault;
    private const ulong HugeGpa = GuestImage.SmallPagesEnd;
    private const ulong SmallGpa = 0x10_0000;
    private const uint Zap = (uint)VmCapability.DisableQuirks2;

    private static readonly KernelFacts WithFlag = KernelFacts.Typical with { HasUserfault = true };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<GoldenProgramOfKernel> All { get; } =
    [
        new(
            KernelFacts.Typical with
            {
                Recovery = HugePageRecovery.Drop,
            },
            facts => LogsHuge(facts) && facts.Recovery == HugePageRecovery.Drop,
            new(
                "small leaves are dropped when logging ends, and what is mapped again counts as written",
                [
                    (Huge(Log), "0"),
                    (Write(HugeGpa), "0"),
                    (Huge(0), "0"),
                    (Huge(Log), "0"),
                    (Read(HugeGpa + 8), "0 value 0x5eed004000080000"),
                    (Read(HugeGpa + Page.Size), "0 value 0x5eed004010000000"),
                    (Dirty, "0 dirty [3 (+7 zero words)]"),
                ]
            )
        ),
        new(
            KernelFacts.Typical,
            facts => LogsHuge(facts) && facts.Recovery == HugePageRecovery.InPlace,
            new(
                "a huge leaf takes the small ones' place when logging ends, and is there when logging begins again",
                [
                    (Huge(Log), "0"),
                    (Write(HugeGpa), "0"),
                    (Huge(0), "0"),
                    (Huge(Log), "0"),
                    (Read(HugeGpa + 8), "0 value 0x5eed004000080000"),
                    (Read(HugeGpa + Page.Size), "0 value 0x5eed004010000000"),
                    (Dirty, "0 dirty [0 (+7 zero words)]"),
                ]
            )
        ),
        new(
            KernelFacts.Typical,
            facts => LogsHuge(facts) && !facts.ProtectsHugeLeavesOnClear,
            new(
                "writes through a huge leaf stay unlogged where INITIALLY_SET was turned off",
                [
                    (Huge(0), "0"),
                    (Write(HugeGpa), "0"),
                    (Manual(3), "0"),
                    (Huge(Log), "0"),
                    (Manual(0), "0"),
                    (Dirty, $"0 dirty [{string.Join(' ', Enumerable.Repeat("ffffffffffffffff", 8))}]"),
                    (Write(HugeGpa), "0"),
                    (Dirty, "0 dirty [0 (+7 zero words)]"),
                    // Without logging in between the leaf stays as it is.
                    (Huge(0), "0"),
                    (Huge(Log), "0"),
                    (Write(HugeGpa), "0"),
                    (Dirty, "0 dirty [1 (+7 zero words)]"),
                ]
            )
        ),
        new(
            WithFlag,
            facts => facts.HasUserfault,
            new(
                "a slot with the flag and without a bitmap is mapped",
                [
                    (Small(Flag, KvmCall.NoBitmap), "0"),
                    (Read(SmallGpa), "0 value 0x5eed000000000000"),
                    (Small(Flag | Log, At(0)), "0"),
                    (new KvmCall.ChangeBits(0, 2, Set: true), "0"),
                    (Read(SmallGpa + Page.Size), "EFAULT MemoryFault gpa 0x101000 detail 0x10"),
                    (Read(SmallGpa), "0 value 0x5eed000000000000"),
                ]
            )
        ),
        new(
            WithFlag,
            facts => facts.HasUserfault,
            new(
                "a bitmap may begin anywhere, and only the word of a page is read",
                [
                    // 70 pages are two words: the first ends in the last readable byte, the second cannot be read.
                    (Small(Flag, At(HostLayout.BitmapSize - 8)), "0"),
                    (new KvmCall.ChangeBits((HostLayout.BitmapSize / 8) - 1, 1UL << 63, Set: true), "0"),
                    (Read(SmallGpa + (62 * Page.Size)), "0 value 0x5eed0003e0000000"),
                    (Read(SmallGpa + (63 * Page.Size)), "EFAULT MemoryFault gpa 0x13f000 detail 0x10"),
                    (Read(SmallGpa + (64 * Page.Size)), "EFAULT"),
                    // A byte further on no word can be read as a whole.
                    (Small(0, default), "0"),
                    (Small(Flag, At(HostLayout.BitmapSize - 7)), "0"),
                    (Read(SmallGpa), "EFAULT"),
                    // Across a page, at an odd address: page 1 has the second bit behind it.
                    (Small(0, default), "0"),
                    (Small(Flag, At(Page.Size - 3)), "0"),
                    (new KvmCall.ChangeBits((Page.Size / 8) - 1, 1UL << 41, Set: true), "0"),
                    (new KvmCall.ChangeBits(Page.Size / 8, 1UL << 3, Set: true), "0"),
                    (Read(SmallGpa), "0 value 0x5eed000000000000"),
                    (Read(SmallGpa + Page.Size), "EFAULT MemoryFault gpa 0x101000 detail 0x10"),
                    (Read(SmallGpa + (27 * Page.Size)), "EFAULT MemoryFault gpa 0x11b000 detail 0x10"),
                    (Read(SmallGpa + (28 * Page.Size)), "0 value 0x5eed0001c0000000"),
                ]
            )
        ),
        new(
            WithFlag,
            facts => facts.HasUserfault && facts.HasZapQuirk,
            new(
                "a change of flags beside USERFAULT takes the new bitmap, the same flags do not, and nothing is zapped",
                [
                    (new KvmCall.EnableCap(Zap, 0, VmCapability.QuirkSlotZapAll), "0"),
                    (new KvmCall.ChangeBits(8, 1, Set: true), "0"),
                    (Small(Flag, At(0)), "0"),
                    (Small(Flag, At(64)), "0"),
                    (Read(SmallGpa), "0 value 0x5eed000000000000"),
                    (Small(Flag | Log, At(64)), "0"),
                    (Read(SmallGpa), "0 value 0x5eed000000000000"),
                    (Small(Log, At(64)), "0"),
                    (Small(Flag | Log, At(64)), "0"),
                    (Read(SmallGpa), "EFAULT MemoryFault gpa 0x100000 detail 0x10"),
                    (new KvmCall.ChangeBits(8, 1, Set: false), "0"),
                    (Write(SmallGpa), "0"),
                    (Dirty, "0 dirty [1 (+1 zero words)]"),
                    // A protected leaf is repaired, whatever its bit says.
                    (new KvmCall.ChangeBits(8, 1, Set: true), "0"),
                    (Write(SmallGpa), "0"),
                    (Dirty, "0 dirty [1 (+1 zero words)]"),
                ]
            )
        ),
    ];

    private static KvmCall.GetDirtyLog Dirty => new(1);

    public override string ToString() => Program.Name;

    private static bool LogsHuge(KernelFacts facts) => facts.HasHugePages && facts.SplitsOnDemand;

    private static HostAddress At(ulong offset) => new(HostArea.Writable, offset);

    private static KvmCall.SetRegion Huge(uint flags) =>
        new(false, 1, flags, HugeGpa, 2 << 20, new HostAddress(HostArea.Huge, 0), MemfdKind.Own, 0, default);

    private static KvmCall.SetRegion Small(uint flags, HostAddress bitmap) =>
        new(true, 1, flags, SmallGpa, 70 * Page.Size, new HostAddress(HostArea.Writable, 0), MemfdKind.Own, 0, bitmap);

    private static KvmCall.Run Read(ulong gpa) => new(Access.Read, gpa, 8, 0);

    private static KvmCall.Run Write(ulong gpa) => new(Access.Write, gpa, 8, 1);

    private static KvmCall.EnableCap Manual(ulong options) => new(VmCapability.ManualDirtyLogProtect2, 0, options);
}
