using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>Message frames by hand.</summary>
internal static class Frames
{
    public static byte[] Message(string recipient, int serializer, string manifest, ReadOnlySpan<byte> payload)
    {
        var writer = new WireWriter();
        writer.Byte((byte)FrameKind.Message);
        writer.Text(recipient);
        writer.Text("");
        writer.Int32(serializer);
        writer.Text(manifest);
        writer.Block(payload);
        return writer.ToArray();
    }
}
