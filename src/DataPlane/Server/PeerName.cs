using System.Net.Sockets;

namespace Userfault.DataPlane;

/// <summary>The name of a peer, and the log line for its refusal.</summary>
internal static class PeerName
{
    public static string Of(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint?.ToString() ?? "?";
        }
        catch (SocketException)
        {
            // It has disconnected before this call.
            return "?";
        }
    }

    public static void LogRefusal(PageServerOptions options, ServerCounters counters, string peer, Refusal refusal)
    {
        if (refusal.Reason != RefusalReason.None)
        {
            counters.CountRefused();
            options.Log?.Invoke($"data plane: refused {peer}: {refusal.Reason}: {refusal.Text}");
        }
    }
}
