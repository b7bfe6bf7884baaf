using System.Net;

namespace Userfault.Cli;

/// <summary>
/// Beyond loopback nothing listens and nothing is dialed without TLS: anyone who can connect to a node could join, read
/// the guest's memory and answer with other pages. A closed network may allow it, and is warned at each start.
/// </summary>
internal static class LoopbackRule
{
    public const string Key = "cluster.allow-insecure";

    /// <summary>Looks at the addresses that a command uses.</summary>
    /// <param name="settings">Do they allow it without TLS?</param>
    /// <param name="tls">TLS; null for none.</param>
    /// <param name="uses">Each address with the name of the setting or the option that names it.</param>
    /// <returns>A line of warning; null where all is well.</returns>
    /// <exception cref="CliException">An address beyond loopback, and neither TLS nor leave to do without.</exception>
    public static string? Check(Settings settings, ClusterTls? tls, params IEnumerable<(string Name, string Host)> uses)
    {
        var isAllowed = settings.Switch(Key);
        var outside = tls is null ? uses.Where(use => !IsLoopback(use.Host)).ToList() : [];
        if (outside.Count == 0)
            return null;
        var (name, host) = outside[0];
        return isAllowed
            ? $"{name} {host} is not loopback, and userfault.{Key} is on: anyone who can connect can join, read the "
                + $"guest's memory and change it"
            : throw new CliException(
                $"{name}: {host} is not loopback, where a node needs TLS: run `userfault cluster keys DIR`, then "
                    + $"--config DIR/node-1.hocon; "
                    + $"in a closed network userfault.{Key} = on does without"
            );
    }

    /// <summary>Does only this machine come this way? A name may lead anywhere, but for localhost.</summary>
    public static bool IsLoopback(string host) =>
        host == "localhost"
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
