using System.Globalization;
using Akka.Configuration;

namespace Userfault.Nodes;

/// <summary>What a node lets a peer do at all, and how much of its memory and time it gives one.</summary>
internal static class ClosedRemoting
{
    /// <summary>The configuration that says so, to be laid over all other.</summary>
    /// <param name="actors">Names under /user that other nodes may address.</param>
    public static Config Of(IEnumerable<string> actors) => ConfigurationFactory.ParseString(string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        akka.remote {
          # Remote deployment is off, and what arrives for any other path than these is dropped.
          untrusted-mode = on
          trusted-selection-paths = [{{string.Join(", ", Paths(actors).Select(p => $"\"{p}\""))}}]

          dot-netty.tcp {
            # Largest frame: BitsCleared and BitmapRange fill half of it, a report with all offers and bitmaps that it may have fits. A
            # peer that announces more loses its connection; nothing is set aside for what was announced and has not come.
            maximum-frame-size = 128000b

            # The kernel's buffers per connection: two frames.
            send-buffer-size = 256000b
            receive-buffer-size = 256000b

            # Frames that may wait to be written together; the last one of a burst never waits.
            batching { enabled = true, max-pending-writes = 30 }

            # How long a peer may take for its handshake, TLS included. Then its connection is closed.
            connection-timeout = 10s

            # Connections that may wait in the kernel to be accepted.
            backlog = 128
          }
        }
        """));

    // Akka.Cluster's and the mediator's addresses of each other, and those of IMembership.Tell.
    private static IEnumerable<string> Paths(IEnumerable<string> actors) =>
    [
        "/system/cluster/core/daemon",
        "/system/cluster/heartbeatReceiver",
        "/system/distributedPubSubMediator",
        .. actors.Select(a => $"/user/{a}"),
    ];
}
