using System.Buffers.Text;
using System.Text.Json;

namespace Userfault.Handler;

/// <summary>
/// A fault that a vCPU exit announced (secret-free form): <c>{"vcpu":0,"offset":4096,"flags":16,"token":null}</c>. Its
/// answer copies vcpu, flags and token.
/// </summary>
/// <param name="Vcpu">Which vCPU waits.</param>
/// <param name="Offset">Byte in the guest_memfd, regions one after another.</param>
/// <param name="Flags">kvm_run.memory_fault.flags.</param>
/// <param name="Token">Whatever the monitor wants to see again; null for none.</param>
public readonly record struct FaultRequest(uint Vcpu, ulong Offset, ulong Flags, ulong? Token)
{
    /// <summary>Bytes of a request or an answer at most.</summary>
    public const int MaxBytes = 1024;

    /// <summary>Reads one object. Allocates nothing.</summary>
    /// <exception cref="ProtocolException">Anything wrong.</exception>
    public static FaultRequest Parse(ReadOnlySpan<byte> json)
    {
        ulong? vcpu = null,
            offset = null,
            flags = null,
            token = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new ProtocolException(ProtocolError.WrongKind, "a fault request is no object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("vcpu"u8))
                    vcpu = Number(ref reader, "vcpu");
                else if (reader.ValueTextEquals("offset"u8))
                    offset = Number(ref reader, "offset");
                else if (reader.ValueTextEquals("flags"u8))
                    flags = Number(ref reader, "flags");
                else if (reader.ValueTextEquals("token"u8))
                    token = Number(ref reader, "token");
                else
                    reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter where a name holds half of a surrogate pair.
            throw new ProtocolException(ProtocolError.NotJson, "a fault request is no JSON");
        }
        if (vcpu is null or > uint.MaxValue || offset is null)
            throw new ProtocolException(ProtocolError.FieldMissing, "a fault request without vcpu or offset");
        return new FaultRequest((uint)vcpu.Value, offset.Value, flags ?? 0, token);
    }

    /// <summary>Writes the request as the monitor sends it; answers its length.</summary>
    public int WriteRequest(Span<byte> to)
    {
        var at = Begin(to);
        at += Number(to[at..], ",\"flags\":"u8, Flags);
        at += End(to[at..]);
        to[at] = (byte)'}';
        return at + 1;
    }

    /// <summary>
    /// Writes the answer: <paramref name="bytes"/> from the request's page on are in place. Answers its length.
    /// </summary>
    public int WriteReply(Span<byte> to, ulong bytes)
    {
        var at = Begin(to);
        at += Number(to[at..], ",\"len\":"u8, bytes);
        at += Number(to[at..], ",\"flags\":"u8, Flags);
        at += End(to[at..]);
        ",\"zero\":false}"u8.CopyTo(to[at..]);
        return at + 14;
    }

    private int Begin(Span<byte> to)
    {
        var at = Number(to, "{\"vcpu\":"u8, Vcpu);
        return at + Number(to[at..], ",\"offset\":"u8, Offset);
    }

    private int End(Span<byte> to)
    {
        if (Token is { } token)
            return Number(to, ",\"token\":"u8, token);
        ",\"token\":null"u8.CopyTo(to);
        return 13;
    }

    private static int Number(Span<byte> to, ReadOnlySpan<byte> name, ulong value)
    {
        name.CopyTo(to);
        Utf8Formatter.TryFormat(value, to[name.Length..], out var digits);
        return name.Length + digits;
    }

    private static ulong? Number(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        return reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out var value)
            ? value
            : throw new ProtocolException(
                ProtocolError.NotWholeNumber,
                $"{name} of a fault request is no whole number"
            );
    }
}
