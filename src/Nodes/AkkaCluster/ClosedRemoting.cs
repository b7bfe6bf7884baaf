using System.Globalization;
using Akka.Configuration;

namespace Userfault.Nodes;

/// <summary>Limits what a peer can reach on a node, and how much of the node's memory it can use.</summary>
internal static class ClosedRemoting
{
    /// <summary>The configuration with these limits; it takes precedence over any other.</summary>
    /// <param name="actors">Names of the actors under /user that other nodes may address.</param>
    public static Config Of(IEnumerable<string> actors) =>
        ConfigurationFactory.ParseString(
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                akka.remote {
                  # No remote deployment. Messages that are addressed to any path but these are dropped.
                  untrusted-mode = on
                  trusted-selection-paths = [{{string.Join(", ", Paths(actors).Select(p => $"\"{p}\""))}}]

                  dot-netty.tcp {
                    # Maximum frame. The largest BitsCleared and BitmapRange take half of it; the largest report
                    # fits. A connection that announces a larger frame is closed. Memory is used only for bytes that
                    # have arrived.
                    maximum-frame-size = 128000b

                    # Socket buffers per connection: two frames each.
                    send-buffer-size = 256000b
                    receive-buffer-size = 256000b

                    # Maximum frames that wait to be written in one system call. They never wait once there is
                    # nothing more to send.
                    batching { enabled = true, max-pending-writes = 30 }

                    # Maximum connections that wait in the kernel to be accepted. How long an accepted one may take
                    # for its handshakes is connection-timeout in akka.hocon.
                    backlog = 128
                  }
                }
                """
            )
        );

    // The paths to which Akka.Cluster, the mediators and IMembership.Tell send.
    private static IEnumerable<string> Paths(IEnumerable<string> actors) =>
        [
            "/system/cluster/core/daemon",
            "/system/cluster/heartbeatReceiver",
            "/system/distributedPubSubMediator",
            .. actors.Select(a => $"/user/{a}"),
        ];
}
