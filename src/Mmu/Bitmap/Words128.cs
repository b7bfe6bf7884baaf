using System.Runtime.Intrinsics;

namespace Userfault.Mmu;

/// <summary>Two words at a time: NEON and SSE.</summary>
internal readonly unsafe struct Words128 : IWordVector<Vector128<ulong>>
{
    public static ulong WordCount => 2;

    public static Vector128<ulong> Broadcast(ulong word) => Vector128.Create(word);

    public static Vector128<ulong> Load(ulong* words) => Vector128.Load(words);

    public static void Store(Vector128<ulong> vector, ulong* words) => vector.Store(words);

    public static Vector128<ulong> Or(Vector128<ulong> left, Vector128<ulong> right) => left | right;

    public static Vector128<ulong> Xor(Vector128<ulong> left, Vector128<ulong> right) => left ^ right;

    public static Vector128<ulong> AndNot(Vector128<ulong> left, Vector128<ulong> right) =>
        Vector128.AndNot(left, right);

    public static bool IsZero(Vector128<ulong> vector) => vector == Vector128<ulong>.Zero;
}
