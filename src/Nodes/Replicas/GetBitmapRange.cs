using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Nodes;

/// <summary>
/// A replica has missed a batch and requests a range of the bitmap; answered with <see cref="BitmapRange"/>.
/// </summary>
/// <param name="Vm">Name of the VM.</param>
/// <param name="Slot">The slot.</param>
/// <param name="FirstWord">First 64-bit word.</param>
/// <param name="Words">Number of words; at most <see cref="BitmapRange.MostWords"/> are returned.</param>
public sealed record GetBitmapRange(string Vm, SlotId Slot, ulong FirstWord, uint Words) : INodeMessage;
