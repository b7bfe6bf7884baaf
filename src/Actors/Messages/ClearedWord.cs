namespace Userfault.Actors;

/// <summary>Bits of one 64-bit word of a userfault bitmap that were cleared.</summary>
/// <param name="Index">Which word.</param>
/// <param name="Mask">Which bits of it.</param>
public readonly record struct ClearedWord(ulong Index, ulong Mask);
