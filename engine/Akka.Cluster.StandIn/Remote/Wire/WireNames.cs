using Akka.Actor;

namespace Akka.Remote.Wire;

/// <summary>
/// Addresses and paths that a peer has written. Akka's own parsers throw this and that on text that is none, their
/// Try forms included.
/// </summary>
internal static class WireNames
{
    /// <summary>An address with a host and a port, as every node has one.</summary>
    public static Address Address(string text)
    {
        try
        {
            if (Actor.Address.TryParse(text, out Address address) && address.Host is { Length: > 0 } && address.Port is > 0 and <= 65535)
                return address;
        }
        catch (Exception trouble) when (trouble is not OutOfMemoryException)
        {
            throw new WireFormatException($"an address that is none ({trouble.GetType().Name})");
        }
        throw new WireFormatException("an address that is none");
    }

    public static ActorPath Path(string text)
    {
        try
        {
            if (ActorPath.TryParse(text, out var path))
                return path;
        }
        catch (Exception trouble) when (trouble is not OutOfMemoryException)
        {
            throw new WireFormatException($"a path that is none ({trouble.GetType().Name})");
        }
        throw new WireFormatException("a path that is none");
    }
}
