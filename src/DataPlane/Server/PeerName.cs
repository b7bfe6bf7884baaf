using System.Net.Sockets;

namespace Userfault.DataPlane;

/// <summary>Who is at the other end, and the one line about it where it is refused.</summary>
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
            // It has gone between connecting and this call.
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
