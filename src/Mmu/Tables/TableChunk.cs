using System.Runtime.InteropServices;

namespace Userfault.Mmu;

// Head of a chunk of table pages, at the place of the info of page 0, which holds the head itself.
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct TableChunk
{
    // Bit i: page i is free. Bit 0 is never set.
    public ulong Free;

    // A ring of all chunks of the table.
    public TableChunk* Next;
    public TableChunk* Previous;
}
