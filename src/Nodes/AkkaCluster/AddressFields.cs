using System.Runtime.Serialization;
using Akka.Actor;
using Google.Protobuf;

namespace Userfault.Nodes;

/// <summary>
/// Where a protocol-buffer message holds addresses of nodes: field by field what is inside of it. Walks the bytes themselves, since
/// Akka.Cluster keeps its messages to itself.
/// </summary>
/// <param name="fields">The fields that hold addresses, and what is in each.</param>
internal sealed class AddressFields(params IReadOnlyList<(int Number, AddressFields Content)> fields)
{
    private const int LengthDelimited = 2;

    /// <summary>Nothing is looked at.</summary>
    public static AddressFields None { get; } = new();

    /// <summary>An address.</summary>
    public static AddressFields Address { get; } = new();

    /// <summary>An address with an incarnation.</summary>
    public static AddressFields Node { get; } = new((1, Address));

    /// <summary>Looks at all addresses of a message. Each has to be whole in itself: fields that occur twice are merged by whoever reads them.</summary>
    /// <param name="bytes">The message.</param>
    /// <param name="isNode">May this be a node's address?</param>
    /// <exception cref="SerializationException">One may not.</exception>
    public void Check(ByteString bytes, Func<Address, bool> isNode)
    {
        var input = bytes.CreateCodedInput();
        if (this == Address)
        {
            CheckAddress(input, isNode);
            return;
        }

        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            var content = (tag & 7) == LengthDelimited ? fields.FirstOrDefault(f => f.Number == tag >> 3).Content : null;
            if (content is null) input.SkipLastField();
            else content.Check(input.ReadBytes(), isNode);
        }
    }

    private static void CheckAddress(CodedInputStream input, Func<Address, bool> isNode)
    {
        var (system, host, port, protocol) = ("", "", 0U, "");
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (1 << 3) | LengthDelimited:
                    system = input.ReadString();
                    break;
                case (2 << 3) | LengthDelimited:
                    host = input.ReadString();
                    break;
                case 3 << 3:
                    port = input.ReadUInt32();
                    break;
                case (4 << 3) | LengthDelimited:
                    protocol = input.ReadString();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (port is 0 or > ushort.MaxValue || !isNode(new Address(protocol, system, host, (int)port)))
        {
            throw new SerializationException("an address that no node has");
        }
    }
}
