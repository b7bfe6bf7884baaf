using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A program with the answers that a real kernel gave, written by hand.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Steps">Calls, and their answers as text.</param>
public sealed record GoldenProgram(string Name, (KvmCall Call, string Answer)[] Steps)
{
    private const uint Log = RegionFlags.LogDirtyPages;

    private static readonly HostAddress Memory = new(HostArea.Writable, 0);

    /// <summary>All of them. A difference that the oracle finds and that is mended becomes one more.</summary>
    public static IReadOnlyList<GoldenProgram> All { get; } =
    [
        new(
            "a write is logged once, and what is read from where no leaf was counts as written",
            [
                (Region(1, 0x10_0000, 0x8000, Memory, Log), "0"),
                (Write(0x10_3008, 8, 0x1122_3344_5566_7788), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [8]"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [0]"),
                (Read(0x10_3008, 4), "0 value 0x55667788"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [0]"),
                (Read(0x10_1010, 8), "0 value 0x5eed000010100000"),
                (new KvmCall.Run(Access.Execute, 0x10_2ff0, 1, 0), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [6]"),
            ]
        ),
        new(
            "exits",
            [
                (Region(1, 0x10_0000, 0x1000, Memory, RegionFlags.ReadOnly), "0"),
                (Read(0x10_0000, 8), "0 value 0x5eed000000000000"),
                (Write(0x10_0010, 4, 7), "0 Mmio gpa 0x100010 detail 0x104"),
                (Read(0x30_0020, 2), "0 value 0x20 Mmio gpa 0x300020 detail 0x2"),
            ]
        ),
        new(
            "manual protection leaves the log as it is until it is cleared",
            [
                (Manual(3), "0"),
                (Region(1, 0x10_0000, 0x4_1000, Memory, Log), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [ffffffffffffffff 1]"),
                (new KvmCall.ClearDirtyLog(1, 0, 64, 0xff), "0"),
                (new KvmCall.ClearDirtyLog(1, 64, 2, 1), "EINVAL"),
                (new KvmCall.ClearDirtyLog(1, 64, 1, ulong.MaxValue), "0"),
                (Write(0x10_2000, 1, 9), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [ffffffffffffff04 (+1 zero words)]"),
            ]
        ),
        new(
            "a delete zaps every slot, unless the quirk is off",
            [
                (Region(1, 0x10_0000, 0x4000, Memory, Log), "0"),
                (Region(2, 0x20_0000, 0x1000, Memory, 0), "0"),
                (Read(0x10_1000, 1), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [2]"),
                (Region(2, 0x20_0000, 0, Memory, 0), "0"),
                (Read(0x10_1000, 1), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [2]"),
                (new KvmCall.EnableCap((uint)KvmCapability.DisableQuirks2, 0, KvmUapi.QuirkSlotZapAll), "0"),
                (Region(2, 0x20_0000, 0x1000, Memory, 0), "0"),
                (Region(2, 0x20_0000, 0, Memory, 0), "0"),
                (Read(0x10_1000, 1), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [0]"),
            ]
        ),
        new(
            "a move beyond the address width fails, and zaps all the same",
            [
                (Region(1, 0x10_0000, 0x4000, Memory, Log), "0"),
                (Region(2, 0x20_0000, 0x3000, Memory, Log), "0"),
                (Read(0x10_2000, 1), "0"),
                (Read(0x20_0000, 1), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [4]"),
                (new KvmCall.GetDirtyLog(2), "0 dirty [1]"),
                (Region(2, 1UL << 52, 0x3000, Memory, Log), "EINVAL"),
                (Read(0x10_2000, 1), "0"),
                (Read(0x20_0000, 1), "0"),
                (new KvmCall.GetDirtyLog(1), "0 dirty [4]"),
                (new KvmCall.GetDirtyLog(2), "0 dirty [1]"),
            ]
        ),
    ];

    public override string ToString() => Name;

    private static KvmCall.SetRegion Region(uint slot, ulong gpa, ulong size, HostAddress hva, uint flags) =>
        new(false, slot, flags, gpa, size, hva, MemfdKind.Own, 0, default);

    private static KvmCall.Run Read(ulong gpa, int bytes) => new(Access.Read, gpa, bytes, 0);

    private static KvmCall.Run Write(ulong gpa, int bytes, ulong value) => new(Access.Write, gpa, bytes, value);

    private static KvmCall.EnableCap Manual(ulong options) =>
        new((uint)KvmCapability.ManualDirtyLogProtect, 0, options);
}
