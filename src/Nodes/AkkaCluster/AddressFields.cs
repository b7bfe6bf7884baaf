using System.Runtime.Serialization;
using Akka.Actor;
using Google.Protobuf;

namespace Userfault.Nodes;

/// <summary>
/// Describes where a protocol-buffer message holds addresses of nodes, and validates them. It parses the bytes itself,
/// because the message classes of Akka.Cluster are internal.
/// </summary>
/// <param name="fields">The fields that hold addresses, and the content of each.</param>
internal sealed class AddressFields(params IReadOnlyList<(int Number, AddressFields Content)> fields)
{
    private const int LengthDelimited = 2;

    /// <summary>A message without addresses.</summary>
    public static AddressFields None { get; } = new();

    /// <summary>An address.</summary>
    public static AddressFields Address { get; } = new();

    /// <summary>An address with an incarnation.</summary>
    public static AddressFields Node { get; } = new((1, Address));

    /// <summary>
    /// Validates all addresses of a message. A field that occurs twice is merged by a parser, so each occurrence must
    /// be a complete address: then the merged one is complete too.
    /// </summary>
    /// <param name="bytes">The message.</param>
    /// <param name="isNode">Can a node of this cluster have this address?</param>
    /// <exception cref="SerializationException">No node can have one of the addresses.</exception>
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
            var isBytes = (tag & 7) == LengthDelimited;
            var content = isBytes ? fields.FirstOrDefault(f => f.Number == tag >> 3).Content : null;
            if (content is null)
                input.SkipLastField();
            else
                content.Check(input.ReadBytes(), isNode);
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
            throw new SerializationException("an address that no node of this cluster can have");
        }
    }
}
