namespace Userfault.Hostile.Tests;

/// <summary>A payload as Akka.Remote writes it: which serializer, which manifest, which bytes.</summary>
/// <param name="Serializer">The serializer's identifier.</param>
/// <param name="Manifest">The manifest.</param>
/// <param name="Bytes">The bytes.</param>
internal sealed record Said(int Serializer, string Manifest, byte[] Bytes)
{
    /// <summary>The wire form.</summary>
    public byte[] Wire() =>
    [
        .. Proto.Number(2, (ulong)(long)Serializer),
        .. Manifest.Length == 0 ? [] : Proto.Text(3, Manifest),
        .. Proto.Bytes(1, Bytes),
    ];

    /// <summary>The payload in a message to an actor that is named by its path.</summary>
    public Said To(params string[] names)
    {
        var path = names.SelectMany(n => Proto.Bytes(2, [.. Proto.Number(1, 2), .. Proto.Text(2, n)]));
        return new Said(6, "", [.. Proto.Bytes(1, Wire()), .. path]);
    }

    /// <summary>The payload in an envelope in an envelope, as deep as the size allows.</summary>
    public Said Nested(int sizeBytes)
    {
        var headers = new Stack<byte[]>([Proto.Header(1, Wire().Length)]);
        var length = headers.Peek().Length + Wire().Length;
        while (length < sizeBytes)
        {
            // A payload of serializer 6, and its bytes, which are the envelope so far.
            byte[] payload = [.. Proto.Number(2, 6), .. Proto.Header(1, length)];
            headers.Push([.. Proto.Header(1, payload.Length + length), .. payload]);
            length += headers.Peek().Length;
        }

        return new Said(6, "", [.. headers.SelectMany(h => h), .. Wire()]);
    }

    /// <summary>The payload in a publication.</summary>
    public Said Published() => new(9, "E", [.. Proto.Text(1, Victim.Topic), .. Proto.Bytes(3, Wire())]);

    public override string ToString() => $"{Serializer} \"{Manifest}\" {Bytes.Length} bytes";
}
