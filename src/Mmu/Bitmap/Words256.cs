using System.Runtime.Intrinsics;

namespace Userfault.Mmu;

/// <summary>Four words at a time: AVX2.</summary>
internal readonly unsafe struct Words256 : IWordVector<Vector256<ulong>>
{
    public static ulong WordCount => 4;

    public static Vector256<ulong> Broadcast(ulong word) => Vector256.Create(word);

    public static Vector256<ulong> Load(ulong* words) => Vector256.Load(words);

    public static void Store(Vector256<ulong> vector, ulong* words) => vector.Store(words);

    public static Vector256<ulong> Or(Vector256<ulong> left, Vector256<ulong> right) => left | right;

    public static Vector256<ulong> Xor(Vector256<ulong> left, Vector256<ulong> right) => left ^ right;

    public static Vector256<ulong> AndNot(Vector256<ulong> left, Vector256<ulong> right) =>
        Vector256.AndNot(left, right);

    public static bool IsZero(Vector256<ulong> vector) => vector == Vector256<ulong>.Zero;
}
