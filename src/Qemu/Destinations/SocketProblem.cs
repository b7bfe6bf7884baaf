using System.Net.Sockets;

namespace Userfault.Qemu;

/// <summary>Why a connection was not made, in words that fit a socket's file.</summary>
internal static class SocketProblem
{
    /// <summary>The reason. A file that is not there is an address that cannot be assigned for the runtime.</summary>
    public static string Of(Exception e) =>
        e is SocketException { SocketErrorCode: SocketError.AddressNotAvailable }
            ? "there is no such socket"
            : e.Message;
}
