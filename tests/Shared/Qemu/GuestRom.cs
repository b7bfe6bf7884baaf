using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Userfault.Tests;

/// <summary>
/// A guest that needs no operating system: a firmware image for <c>qemu-system-x86_64 -bios</c>. It fills its memory
/// from 1 MiB up with a function of the address, says so, and then checks random pages for ever. Each dword at address
/// a holds a * <see cref="Multiplier"/>; every eighth page stays zero. It reports by single characters on a debug
/// console: <see cref="Filled"/> once, <see cref="Good"/> after 64 good pages, <see cref="Bad"/> for each bad one.
/// <para>
/// A guest that writes also increments the first dword of each page that it has checked, and a counter per page in
/// low memory. The two must agree: a page that is overwritten by an older copy of itself is bad from then on.
/// </para>
/// </summary>
internal static class GuestRom
{
    /// <summary>The port of QEMU's <c>-debugcon</c>.</summary>
    public const byte Port = 0xe9;

    /// <summary>Memory is filled.</summary>
    public const char Filled = 'F';

    /// <summary>64 more pages were checked and found to be good.</summary>
    public const char Good = '.';

    /// <summary>A page was not as it must be.</summary>
    public const char Bad = 'X';

    /// <summary>The first page that is filled: 1 MiB.</summary>
    public const uint FirstPage = 0x100;

    /// <summary>What an address is multiplied by: odd, so that no two dwords of memory are equal.</summary>
    public const uint Multiplier = 0x9e3779b1;

    /// <summary>Where a guest that writes has its counters: 4 bytes for each page of its memory.</summary>
    public const uint Counters = 0x10000;

    private const int RomBytes = 0x10000;
    private const uint RomBase = 0xffff0000;
    private const int ResetOffset = 0xfff0;
    private const int TableOffset = 0x40;
    private const int TableRegisterOffset = 0x60;
    private const int MainOffset = 0x80;
    private const uint DwordsPerPage = 1024;
    private const byte PageShift = 12;
    private const uint PagesPerReport = 64;
    private const sbyte ZeroMask = 7;
    private const uint ZeroPage = 5;

    private const uint MaxCounters = 0x20000;

    /// <summary>Is it a page that stays zero?</summary>
    public static bool IsZero(ulong page) => page < FirstPage || (page & (ulong)ZeroMask) == ZeroPage;

    /// <summary>Writes what the guest has in a page of its memory, from 1 MiB up.</summary>
    /// <param name="page">The page.</param>
    /// <param name="writes">How often it has written to the page.</param>
    /// <param name="content">Where to.</param>
    public static void Fill(ulong page, uint writes, Span<byte> content)
    {
        var dwords = MemoryMarshal.Cast<byte, uint>(content);
        var multiplier = IsZero(page) ? 0 : Multiplier;
        for (var i = 0; i < dwords.Length; i++)
            dwords[i] = unchecked((((uint)page * 4096) + (4 * (uint)i)) * multiplier);
        dwords[0] = unchecked(dwords[0] + writes);
    }

    /// <summary>The image.</summary>
    /// <param name="ramMib">Memory of the guest in MiB: 2 to 3072; to 512 where it writes.</param>
    /// <param name="writes">Does it write to the pages that it checks?</param>
    public static byte[] Assemble(int ramMib, bool writes = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ramMib, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ramMib, writes ? (int)(MaxCounters >> 8) : 3072);
        var rom = new byte[RomBytes];
        // The processor begins at the reset vector, 16 bytes below 4 GiB: jmp to the first byte of the image.
        rom.AsSpan(ResetOffset).Fill(0x90);
        ((ReadOnlySpan<byte>)[0xe9, 0x0d, 0x00]).CopyTo(rom.AsSpan(ResetOffset));
        RealMode.CopyTo(rom, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(rom.AsSpan(TableOffset + 8), 0x00cf9b000000ffff); // code, flat
        BinaryPrimitives.WriteUInt64LittleEndian(rom.AsSpan(TableOffset + 16), 0x00cf93000000ffff); // data, flat
        BinaryPrimitives.WriteUInt16LittleEndian(rom.AsSpan(TableRegisterOffset), 23);
        BinaryPrimitives.WriteUInt32LittleEndian(rom.AsSpan(TableRegisterOffset + 2), RomBase + TableOffset);
        LoadSegments.CopyTo(rom, MainOffset);
        Program((uint)ramMib << 8, writes).CopyTo(rom, MainOffset + LoadSegments.Length);
        return rom;
    }

    private static byte[] RealMode =>
        Convert.FromHexString(
            "fa" // cli
                + "e492" // in al, 0x92
                + "0c02" // or al, 2: address line 20
                + "24fe" // and al, ~1: no reset
                + "e692" // out 0x92, al
                + $"2e660f0116{TableRegisterOffset:x2}00" // lgdt cs:[table]
                + "0f20c0" // mov eax, cr0
                + "0c01" // or al, 1: protected mode
                + "0f22c0" // mov cr0, eax
                + $"66ea{MainOffset:x2}00ffff0800" // jmp 8:main
        );

    private static byte[] LoadSegments =>
        Convert.FromHexString(
            "66b81000" // mov ax, 16
                + "8ed8" // mov ds, ax
                + "8ec0" // mov es, ax
                + "8ed0" // mov ss, ax
        );

    private static byte[] Program(uint endPage, bool writes)
    {
        var code = new RomAssembler();
        FillMemory(code, endPage);
        code.Out(Port, Filled);
        CheckForEver(code, endPage, writes);
        return code.ToArray();
    }

    // ebx: page; edi: address; eax: its value; ecx: dwords left.
    private static void FillMemory(RomAssembler code, uint endPage)
    {
        code.Set(RomRegister.Ebx, FirstPage);
        var page = code.Here();
        var isZero = code.NewLabel();
        code.Copy(RomRegister.Eax, RomRegister.Ebx);
        code.And(RomRegister.Eax, ZeroMask);
        code.Compare(RomRegister.Eax, ZeroPage);
        code.JumpIfZero(isZero);
        code.Copy(RomRegister.Edi, RomRegister.Ebx);
        code.ShiftLeft(RomRegister.Edi, PageShift);
        code.Multiply(RomRegister.Eax, RomRegister.Edi, Multiplier);
        code.Set(RomRegister.Ecx, DwordsPerPage);
        var dword = code.Here();
        code.Store(RomRegister.Edi, RomRegister.Eax);
        code.Add(RomRegister.Edi, 4);
        code.Add(RomRegister.Eax, unchecked(4 * Multiplier));
        code.Decrement(RomRegister.Ecx);
        code.JumpIfNotZero(dword);
        code.Mark(isZero);
        code.Increment(RomRegister.Ebx);
        code.Compare(RomRegister.Ebx, endPage);
        code.JumpIfNotZero(page);
    }

    // esi: state of the random numbers; ebp: pages until the next report; ebx: page; edx: the multiplier, 0 for a zero
    // page; edi: address; eax: its value; ecx: dwords left. No stack, and no memory but the pages and the counters.
    private static void CheckForEver(RomAssembler code, uint endPage, bool writes)
    {
        var (isFilled, isBad) = (code.NewLabel(), code.NewLabel());
        code.Set(RomRegister.Esi, 1);
        var report = code.Here();
        code.Set(RomRegister.Ebp, PagesPerReport);
        var next = code.Here();
        code.Multiply(RomRegister.Esi, RomRegister.Esi, 1664525);
        code.Add(RomRegister.Esi, 1013904223);
        code.Copy(RomRegister.Eax, RomRegister.Esi);
        code.Set(RomRegister.Ecx, endPage - FirstPage);
        code.MultiplyWide(RomRegister.Ecx);
        code.Copy(RomRegister.Ebx, RomRegister.Edx);
        code.Add(RomRegister.Ebx, FirstPage);
        code.Set(RomRegister.Edx, Multiplier);
        code.Copy(RomRegister.Eax, RomRegister.Ebx);
        code.And(RomRegister.Eax, ZeroMask);
        code.Compare(RomRegister.Eax, ZeroPage);
        code.JumpIfNotZero(isFilled);
        code.Clear(RomRegister.Edx);
        code.Mark(isFilled);
        code.Copy(RomRegister.Edi, RomRegister.Ebx);
        code.ShiftLeft(RomRegister.Edi, PageShift);
        code.Copy(RomRegister.Eax, RomRegister.Edi);
        code.Multiply(RomRegister.Eax, RomRegister.Edx);
        FirstDword(code, isBad, writes);
        code.ShiftLeft(RomRegister.Edx, 2);
        code.Set(RomRegister.Ecx, DwordsPerPage - 1);
        var dword = code.Here();
        code.Add(RomRegister.Edi, 4);
        code.Add(RomRegister.Eax, RomRegister.Edx);
        code.CompareMemory(RomRegister.Eax, RomRegister.Edi);
        code.JumpIfNotZero(isBad);
        code.Decrement(RomRegister.Ecx);
        code.JumpIfNotZero(dword);
        code.Decrement(RomRegister.Ebp);
        code.JumpIfNotZero(next);
        code.Out(Port, Good);
        code.Jump(report);
        code.Mark(isBad);
        code.Out(Port, Bad);
        code.Jump(next);
    }

    private static void FirstDword(RomAssembler code, int isBad, bool writes)
    {
        code.Copy(RomRegister.Ecx, RomRegister.Eax);
        if (writes)
            code.AddEntry(RomRegister.Ecx, RomRegister.Ebx, Counters);
        code.CompareMemory(RomRegister.Ecx, RomRegister.Edi);
        code.JumpIfNotZero(isBad);
        if (!writes)
            return;
        code.IncrementEntry(RomRegister.Ebx, Counters);
        code.IncrementMemory(RomRegister.Edi);
    }
}
