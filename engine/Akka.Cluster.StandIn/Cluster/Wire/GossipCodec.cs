using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Membership;
using Akka.Remote.Wire;

namespace Akka.Cluster.Wire;

/// <summary>
/// A view as it travels: a table of all nodes that it names, then members, seen, reachability, version and tombstones
/// with indices into that table. Whatever does not fit together is a <see cref="WireFormatException"/>.
/// </summary>
internal static class GossipCodec
{
    public static void Write(WireWriter writer, Gossip gossip)
    {
        var nodes = Named(gossip).ToImmutableSortedSet();
        writer.Int32(nodes.Count);
        foreach (var node in nodes)
            WriteNode(writer, node);
        writer.Int32(gossip.Members.Count);
        foreach (var member in gossip.Members)
        {
            writer.Int32(nodes.IndexOf(member.UniqueAddress));
            writer.Byte((byte)member.Status);
            writer.Int32(member.UpNumber);
            WriteRoles(writer, member.Roles);
        }
        WriteSet(writer, nodes, gossip.Seen);
        writer.Int32(gossip.Reachability.Rows.Count);
        foreach (var (observer, row) in gossip.Reachability.Rows)
        {
            writer.Int32(nodes.IndexOf(observer));
            writer.Int64(row.Version);
            WriteSet(writer, nodes, row.Unreachable);
        }
        WriteNumbers(writer, nodes, gossip.Version.Versions);
        WriteNumbers(writer, nodes, gossip.Tombstones);
    }

    public static Gossip Read(ref WireReader reader)
    {
        var nodes = new UniqueAddress[reader.Count(leastBytes: 6)];
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = ReadNode(ref reader);
        var members = ImmutableSortedSet.CreateBuilder<Member>();
        for (var left = reader.Count(leastBytes: 13); left > 0; left--)
            members.Add(ReadMember(ref reader, nodes));
        var seen = ReadSet(ref reader, nodes);
        var rows = ImmutableSortedDictionary.CreateBuilder<UniqueAddress, Reachability.Row>();
        for (var left = reader.Count(leastBytes: 16); left > 0; left--)
            rows[Node(ref reader, nodes)] = new Reachability.Row(reader.Int64(), ReadSet(ref reader, nodes));
        return new Gossip
        {
            Members = members.ToImmutable(),
            Seen = seen,
            Reachability = new Reachability(rows.ToImmutable()),
            Version = new VectorClock(ReadNumbers(ref reader, nodes)),
            Tombstones = ReadNumbers(ref reader, nodes),
        };
    }

    public static void WriteVersion(WireWriter writer, VectorClock version)
    {
        writer.Int32(version.Versions.Count);
        foreach (var (node, number) in version.Versions)
        {
            WriteNode(writer, node);
            writer.Int64(number);
        }
    }

    public static VectorClock ReadVersion(ref WireReader reader)
    {
        var versions = ImmutableSortedDictionary.CreateBuilder<UniqueAddress, long>();
        for (var left = reader.Count(leastBytes: 14); left > 0; left--)
            versions[ReadNode(ref reader)] = reader.Int64();
        return new VectorClock(versions.ToImmutable());
    }

    public static void WriteNode(WireWriter writer, UniqueAddress node)
    {
        writer.Text(node.Address.ToString());
        writer.Int32(node.Uid);
    }

    public static UniqueAddress ReadNode(ref WireReader reader) => new(ReadAddress(ref reader), reader.Int32());

    public static Address ReadAddress(ref WireReader reader) => WireNames.Address(reader.Text());

    public static void WriteRoles(WireWriter writer, ImmutableHashSet<string> roles)
    {
        writer.Int32(roles.Count);
        foreach (var role in roles.Order(StringComparer.Ordinal))
            writer.Text(role);
    }

    public static ImmutableHashSet<string> ReadRoles(ref WireReader reader)
    {
        var roles = ImmutableHashSet.CreateBuilder<string>();
        for (var left = reader.Count(leastBytes: 2); left > 0; left--)
            roles.Add(reader.Text());
        return roles.ToImmutable();
    }

    private static IEnumerable<UniqueAddress> Named(Gossip gossip)
        => gossip.Members.Select(static member => member.UniqueAddress)
            .Concat(gossip.Seen)
            .Concat(gossip.Reachability.Rows.Keys)
            .Concat(gossip.Reachability.AllUnreachable)
            .Concat(gossip.Version.Versions.Keys)
            .Concat(gossip.Tombstones.Keys);

    private static Member ReadMember(ref WireReader reader, UniqueAddress[] nodes)
    {
        var node = Node(ref reader, nodes);
        var status = (MemberStatus)reader.Byte();
        if (!Enum.IsDefined(status) || status == MemberStatus.Removed)
            throw new WireFormatException($"a member that is {status}");
        return new Member(node, reader.Int32(), status, ReadRoles(ref reader));
    }

    private static UniqueAddress Node(ref WireReader reader, UniqueAddress[] nodes)
    {
        var index = reader.Int32();
        return (uint)index < (uint)nodes.Length ? nodes[index] : throw new WireFormatException($"node {index} of {nodes.Length}");
    }

    private static void WriteSet(WireWriter writer, ImmutableSortedSet<UniqueAddress> nodes, ImmutableSortedSet<UniqueAddress> set)
    {
        writer.Int32(set.Count);
        foreach (var node in set)
            writer.Int32(nodes.IndexOf(node));
    }

    private static ImmutableSortedSet<UniqueAddress> ReadSet(ref WireReader reader, UniqueAddress[] nodes)
    {
        var set = ImmutableSortedSet.CreateBuilder<UniqueAddress>();
        for (var left = reader.Count(leastBytes: 4); left > 0; left--)
            set.Add(Node(ref reader, nodes));
        return set.ToImmutable();
    }

    private static void WriteNumbers(WireWriter writer, ImmutableSortedSet<UniqueAddress> nodes, ImmutableSortedDictionary<UniqueAddress, long> numbers)
    {
        writer.Int32(numbers.Count);
        foreach (var (node, number) in numbers)
        {
            writer.Int32(nodes.IndexOf(node));
            writer.Int64(number);
        }
    }

    private static ImmutableSortedDictionary<UniqueAddress, long> ReadNumbers(ref WireReader reader, UniqueAddress[] nodes)
    {
        var numbers = ImmutableSortedDictionary.CreateBuilder<UniqueAddress, long>();
        for (var left = reader.Count(leastBytes: 12); left > 0; left--)
            numbers[Node(ref reader, nodes)] = reader.Int64();
        return numbers.ToImmutable();
    }
}
