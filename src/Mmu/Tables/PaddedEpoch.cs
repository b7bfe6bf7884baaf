using System.Runtime.InteropServices;

namespace Userfault.Mmu;

// An epoch on cache lines of its own: two of them, since adjacent lines are fetched in pairs.
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct PaddedEpoch
{
    [FieldOffset(128)]
    public ulong Value;
}
