namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The guest: a few instructions, a stack and page tables, assembled here. It runs at CPL 3 in long mode, with the low
/// 128 MiB of guest-physical memory at the same virtual addresses, so that one KVM_RUN makes one access of the test's
/// choosing and then reports by port I/O. At CPL 3 a nested host runs it natively; at CPL 0 it may be emulated.
/// </summary>
/// <remarks>
/// What only shadow paging does is kept out of sight, since the model is one of two-dimensional paging. Dirty is set in
/// all guest entries beforehand: a clean one would be shadowed read-only. Accessed is clear in all 4 KiB entries before
/// every run: KVM would prefetch the neighbours that have it set.
/// </remarks>
public static unsafe class GuestImage
{
    /// <summary>
    /// Where the boot slot lies, in the guest; programs place their slots elsewhere or collide with it.
    /// </summary>
    public const ulong BootGpa = 0x4000_0000;

    /// <summary>The boot slot's id, at the end of those that every architecture has.</summary>
    public const uint BootSlot = 32_000;

    /// <summary>Guest-physical memory below this is mapped for the guest's accesses, by 4 KiB pages.</summary>
    public const ulong SmallPagesEnd = 64 << 20;

    /// <summary>From there on to here it is mapped by 2 MiB pages.</summary>
    public const ulong WindowSize = 128 << 20;

    /// <summary>The port on which the guest reports that the instruction is done.</summary>
    public const ushort ReportPort = 0x10;

    public const ulong Pml4Gpa = BootGpa + 0x1000;
    public const ulong StackTopGpa = BootGpa + 0x8000;
    public const ulong TaskStateGpa = BootGpa + 0x5000;
    private const int TaskStateSize = 104;
    private const int IoMapBaseOffset = 102;
    private const ulong CodeGpa = BootGpa + 0x9000;
    private const ulong SmallTablesGpa = BootGpa + 0x10000;
    private const ulong Accessed = 1 << 5;
    private const int SnippetStride = 16;

    // Each is one access with rdi as address and rax as datum; OUT ReportPort, AL follows.
    private static readonly byte[][] Snippets =
    [
        [0x8a, 0x07], // mov al, [rdi]
        [0x66, 0x8b, 0x07], // mov ax, [rdi]
        [0x8b, 0x07], // mov eax, [rdi]
        [0x48, 0x8b, 0x07], // mov rax, [rdi]
        [0x88, 0x07], // mov [rdi], al
        [0x66, 0x89, 0x07], // mov [rdi], ax
        [0x89, 0x07], // mov [rdi], eax
        [0x48, 0x89, 0x07], // mov [rdi], rax
        [0xff, 0xd7], // call rdi
    ];

    public static ulong EntryOf(Access access, int bytes)
    {
        var width = int.TrailingZeroCount(bytes);
        var index = access switch
        {
            Access.Read => width,
            Access.Write => 4 + width,
            _ => 8,
        };
        return CodeGpa + (ulong)(index * SnippetStride);
    }

    /// <summary>Writes the guest into the boot slot's host memory.</summary>
    public static void WriteTo(byte* boot)
    {
        for (var i = 0; i < Snippets.Length; i++)
        {
            var at = boot + (CodeGpa - BootGpa) + (i * SnippetStride);
            byte[] code = [.. Snippets[i], 0xe6, (byte)ReportPort];
            code.CopyTo(new Span<byte>(at, SnippetStride));
        }

        // An I/O permission map of zeros: not every host honours IOPL 3.
        *(ushort*)(boot + (TaskStateGpa - BootGpa) + IoMapBaseOffset) = TaskStateSize;

        const ulong table = 0x67; // present, writable, user, accessed, dirty
        const ulong large = table | 0x80; // a 2 MiB page
        const ulong pdptGpa = BootGpa + 0x2000,
            lowGpa = BootGpa + 0x3000,
            bootDirectoryGpa = BootGpa + 0x4000;
        Entries(boot, Pml4Gpa)[0] = pdptGpa | table;
        Entries(boot, pdptGpa)[0] = lowGpa | table;
        Entries(boot, pdptGpa)[BootGpa >> 30] = bootDirectoryGpa | table;
        Entries(boot, bootDirectoryGpa)[0] = BootGpa | large;
        for (var i = 0UL; i < WindowSize >> 21; i++)
        {
            Entries(boot, lowGpa)[i] =
                i < SmallPagesEnd >> 21 ? (SmallTablesGpa + (i << 12)) | table : (i << 21) | large;
        }

        for (var i = 0UL; i < SmallPagesEnd >> 12; i++)
            Entries(boot, SmallTablesGpa)[i] = (i << 12) | (table & ~Accessed);
    }

    /// <summary>Clears what the last run left in the guest's entry for <paramref name="gpa"/>.</summary>
    public static void ForgetAccess(byte* boot, ulong gpa)
    {
        if (gpa < SmallPagesEnd)
            Interlocked.And(ref Entries(boot, SmallTablesGpa)[gpa >> 12], ~Accessed);
    }

    private static ulong* Entries(byte* boot, ulong gpa) => (ulong*)(boot + (gpa - BootGpa));
}
