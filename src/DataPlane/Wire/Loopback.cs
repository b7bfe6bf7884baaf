using System.Net;
using System.Net.Sockets;

namespace Userfault.DataPlane;

/// <summary>Settings for connections within one machine.</summary>
internal static class Loopback
{
    private const int Tcp = 6;
    private const int CongestionControl = 13;

    /// <summary>
    /// Between two processes of one machine nothing is ever lost and no line is shared: congestion control that
    /// measures and paces (bbr) costs a twentieth of both ends' time there and gains nothing. Reno is in every Linux
    /// kernel.
    /// </summary>
    public static void Prepare(Socket socket)
    {
        if (!OperatingSystem.IsLinux() || !socket.Connected || !IsLoopback(socket))
        {
            return;
        }
        try
        {
            socket.SetRawSocketOption(Tcp, CongestionControl, "reno"u8);
        }
        catch (SocketException)
        {
            // Refused, or the peer has disconnected: the system's default stays.
        }
    }

    // If the peer has disconnected, its address is gone as well.
    private static bool IsLoopback(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint is IPEndPoint peer
                && IPAddress.IsLoopback(peer.Address.IsIPv4MappedToIPv6 ? peer.Address.MapToIPv4() : peer.Address);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
