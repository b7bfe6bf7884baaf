using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>The order of node addresses that all nodes share: by host, then by port.</summary>
public sealed class AddressOrder : IComparer<Address>
{
    /// <summary>The one instance.</summary>
    public static readonly AddressOrder Instance = new();

    /// <inheritdoc/>
    public int Compare(Address? x, Address? y)
    {
        if (x is null || y is null)
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        var byHost = string.CompareOrdinal(x.Host, y.Host);
        return byHost != 0 ? byHost : Nullable.Compare(x.Port, y.Port);
    }
}
