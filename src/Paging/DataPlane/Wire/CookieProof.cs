using System.Security.Cryptography;
using System.Text;

namespace Userfault.Paging;

/// <summary>
/// Proof that an end knows the cluster cookie, without sending it: HMAC-SHA256 under the cookie of the end's label, both
/// nonces and the image. Label and fresh nonces keep an answer from being replayed or reflected.
/// </summary>
internal static class CookieProof
{
    public static readonly byte[] None = new byte[WireLimits.ProofBytes];

    public static byte[] OfClient(string? cookie, byte[] serverNonce, byte[] clientNonce, ImageIdentity image) =>
        Compute(cookie, "userfault data plane client"u8, serverNonce, clientNonce, image);

    public static byte[] OfServer(string? cookie, byte[] serverNonce, byte[] clientNonce, ImageIdentity image) =>
        Compute(cookie, "userfault data plane server"u8, serverNonce, clientNonce, image);

    /// <summary>Takes the same time wherever the two differ.</summary>
    public static bool Matches(byte[] expected, byte[] actual) => CryptographicOperations.FixedTimeEquals(expected, actual);

    private static byte[] Compute(
        string? cookie, ReadOnlySpan<byte> label, byte[] serverNonce, byte[] clientNonce, ImageIdentity image)
    {
        if (cookie is null)
        {
            return None;
        }
        Span<byte> said = stackalloc byte[label.Length + (2 * WireLimits.NonceBytes) + ImageIdentity.Size];
        label.CopyTo(said);
        serverNonce.CopyTo(said[label.Length..]);
        clientNonce.CopyTo(said[(label.Length + WireLimits.NonceBytes)..]);
        image.WriteTo(said[(label.Length + (2 * WireLimits.NonceBytes))..]);
        return HMACSHA256.HashData(Encoding.UTF8.GetBytes(cookie), said);
    }
}
