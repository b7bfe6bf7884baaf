using Akka.Actor;

namespace Akka.Cluster;

/// <summary>A node's address and its incarnation: a restarted node has the same address and another uid.</summary>
public class UniqueAddress : IEquatable<UniqueAddress>, IComparable<UniqueAddress>, IComparable
{
    public UniqueAddress(Address address, int uid)
    {
        ArgumentNullException.ThrowIfNull(address);
        Address = address;
        Uid = uid;
    }

    public Address Address { get; }

    public int Uid { get; }

    public static bool operator ==(UniqueAddress? left, UniqueAddress? right) => Equals(left, right);

    public static bool operator !=(UniqueAddress? left, UniqueAddress? right) => !Equals(left, right);

    public static bool operator <(UniqueAddress left, UniqueAddress right) => Order(left, right) < 0;

    public static bool operator >(UniqueAddress left, UniqueAddress right) => Order(left, right) > 0;

    public static bool operator <=(UniqueAddress left, UniqueAddress right) => Order(left, right) <= 0;

    public static bool operator >=(UniqueAddress left, UniqueAddress right) => Order(left, right) >= 0;

    public bool Equals(UniqueAddress? other) => other is not null && Uid == other.Uid && Address == other.Address;

    public override bool Equals(object? obj) => Equals(obj as UniqueAddress);

    public override int GetHashCode() => Uid;

    public int CompareTo(UniqueAddress? uniqueAddress) => Order(this, uniqueAddress);

    public int CompareTo(object? obj) => Order(this, obj as UniqueAddress);

    public override string ToString() => $"UniqueAddress: ({Address}, {Uid})";

    private static int Order(UniqueAddress? left, UniqueAddress? right)
    {
        if (left is null || right is null)
            return (left is null ? 0 : 1) - (right is null ? 0 : 1);
        var byAddress = Member.AddressOrdering.Compare(left.Address, right.Address);
        return byAddress != 0 ? byAddress : left.Uid.CompareTo(right.Uid);
    }
}
