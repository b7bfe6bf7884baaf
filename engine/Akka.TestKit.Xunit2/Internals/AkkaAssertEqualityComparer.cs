using System.Collections;

namespace Akka.TestKit.Xunit2.Internals;

/// <summary>
/// Equality as a test means it: what a type says of itself, and item by item for collections, which say nothing.
/// </summary>
internal sealed class AkkaAssertEqualityComparer<T> : IEqualityComparer<T>
{
    public static readonly AkkaAssertEqualityComparer<T> Instance = new();

    public bool Equals(T? x, T? y)
    {
        if (x == null || y == null)
            return x == null && y == null;
        if (x is IEquatable<T> equatable)
            return equatable.Equals(y);
        if (x is IComparable<T> comparable)
            return comparable.CompareTo(y) == 0;
        if (x.Equals(y))
            return true;
        return x is IEnumerable items && y is IEnumerable others && SameItems(items, others);
    }

    public int GetHashCode(T obj) => throw new NotSupportedException("Test values are compared, never hashed.");

    private static bool SameItems(IEnumerable x, IEnumerable y) =>
        x.Cast<object?>().SequenceEqual(y.Cast<object?>(), AkkaAssertEqualityComparer<object?>.Instance);
}
