using System.Runtime.Intrinsics;

namespace Userfault.Mmu;

/// <summary>Eight words at a time: AVX-512.</summary>
internal readonly unsafe struct Words512 : IWordVector<Vector512<ulong>>
{
    public static ulong WordCount => 8;

    public static Vector512<ulong> Broadcast(ulong word) => Vector512.Create(word);

    public static Vector512<ulong> Load(ulong* words) => Vector512.Load(words);

    public static void Store(Vector512<ulong> vector, ulong* words) => vector.Store(words);

    public static Vector512<ulong> Or(Vector512<ulong> left, Vector512<ulong> right) => left | right;

    public static Vector512<ulong> Xor(Vector512<ulong> left, Vector512<ulong> right) => left ^ right;

    public static Vector512<ulong> AndNot(Vector512<ulong> left, Vector512<ulong> right) =>
        Vector512.AndNot(left, right);

    public static bool IsZero(Vector512<ulong> vector) => vector == Vector512<ulong>.Zero;
}
