using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster;

/// <summary>A node of the cluster as its membership knows it. Two members are equal if they are the same incarnation.</summary>
public class Member : IComparable<Member>, IComparable
{
    /// <summary>By host, then by port: the order in which leaders are chosen.</summary>
    public static readonly IComparer<Address> AddressOrdering = Comparer<Address>.Create(CompareAddresses);

    internal Member(UniqueAddress uniqueAddress, int upNumber, MemberStatus status, ImmutableHashSet<string> roles)
    {
        UniqueAddress = uniqueAddress;
        UpNumber = upNumber;
        Status = status;
        Roles = roles;
    }

    public UniqueAddress UniqueAddress { get; }

    public MemberStatus Status { get; }

    public ImmutableHashSet<string> Roles { get; }

    public Address Address => UniqueAddress.Address;

    /// <summary>Counts the members in the order in which they became Up; int.MaxValue before.</summary>
    internal int UpNumber { get; }

    public static bool operator ==(Member? left, Member? right) => Equals(left, right);

    public static bool operator !=(Member? left, Member? right) => !Equals(left, right);

    public static bool operator <(Member left, Member right) => left is null ? right is not null : left.CompareTo(right) < 0;

    public static bool operator >(Member left, Member right) => left is not null && left.CompareTo(right) > 0;

    public static bool operator <=(Member left, Member right) => left is null || left.CompareTo(right) <= 0;

    public static bool operator >=(Member left, Member right) => left is null ? right is null : left.CompareTo(right) >= 0;

    public bool HasRole(string role) => Roles.Contains(role);

    public bool IsOlderThan(Member other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return UpNumber == other.UpNumber ? CompareTo(other) < 0 : UpNumber < other.UpNumber;
    }

    public Member Copy(MemberStatus status)
    {
        if (status == Status)
            return this;
        return IsAllowed(Status, status)
            ? new Member(UniqueAddress, UpNumber, status, Roles)
            : throw new InvalidOperationException($"Invalid member status transition {Status} -> {status}");
    }

    public Member CopyUp(int upNumber) => new(UniqueAddress, upNumber, MemberStatus.Up, Roles);

    public int CompareTo(Member? other) => other is null ? 1 : UniqueAddress.CompareTo(other.UniqueAddress);

    public int CompareTo(object? obj) => CompareTo(obj as Member);

    public override bool Equals(object? obj) => obj is Member other && UniqueAddress.Equals(other.UniqueAddress);

    public override int GetHashCode() => UniqueAddress.GetHashCode();

    public override string ToString()
        => $"Member(address = {Address}, Uid={UniqueAddress.Uid} status = {Status}, role=[{string.Join(",", Roles.Order(StringComparer.Ordinal))}], upNumber={UpNumber})";

    internal static bool IsAllowed(MemberStatus from, MemberStatus to) => (from, to) switch
    {
        (MemberStatus.Removed, _) => false,
        (_, MemberStatus.Removed) => true,
        (MemberStatus.Down, _) => false,
        (_, MemberStatus.Down) => true,
        (MemberStatus.Joining, MemberStatus.WeaklyUp or MemberStatus.Up or MemberStatus.Leaving) => true,
        (MemberStatus.WeaklyUp, MemberStatus.Up or MemberStatus.Leaving) => true,
        (MemberStatus.Up, MemberStatus.Leaving or MemberStatus.Exiting) => true,
        (MemberStatus.Leaving, MemberStatus.Exiting) => true,
        _ => false,
    };

    private static int CompareAddresses(Address? left, Address? right)
    {
        if (left is null || right is null)
            return (left is null ? 0 : 1) - (right is null ? 0 : 1);
        var byHost = string.CompareOrdinal(left.Host ?? "", right.Host ?? "");
        return byHost != 0 ? byHost : (left.Port ?? 0).CompareTo(right.Port ?? 0);
    }
}
