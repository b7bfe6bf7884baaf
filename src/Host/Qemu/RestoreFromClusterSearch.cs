using System.Net;
using System.Net.Security;
using Userfault.DataPlane;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>
/// Gets a guest's description: all servers are asked at once, and the first answer that is right is taken. One that is
/// silent, or wrong, keeps nobody waiting.
/// </summary>
internal sealed class RestoreFromClusterSearch
{
    private readonly object _lock = new();
    private GuestDescription? _guest;
    private string _said = "no source is known";
    private int _left;

    /// <summary>Asks the servers. Blocks.</summary>
    /// <param name="servers">Who serves the image.</param>
    /// <param name="found">Which image.</param>
    /// <param name="tls">TLS; null for none.</param>
    /// <exception cref="CliException">None of them has a description that is right.</exception>
    public static GuestDescription Describe(
        IReadOnlyList<EndPoint> servers,
        SourcesFound found,
        SslClientAuthenticationOptions? tls
    )
    {
        var search = new RestoreFromClusterSearch { _left = servers.Count };
        foreach (var server in servers)
        {
            var options = new PageClientOptions { Server = server, Tls = tls };
            new Thread(() => search.Ask(options, found.Image))
            {
                IsBackground = true,
                Name = "describe the guest",
            }.Start();
        }

        return search.Wait(found);
    }

    private void Ask(PageClientOptions options, ImageIdentity image)
    {
        GuestDescription? guest = null;
        var said = "";
        try
        {
            guest = DescriptionDownload.From(options, image);
        }
        catch (Exception e) when (e is PagingException or PageConnectionException)
        {
            said = e.Message;
        }

        lock (_lock)
        {
            if (guest is null)
                _said = said;
            _guest ??= guest;
            _left--;
            Monitor.PulseAll(_lock);
        }
    }

    private GuestDescription Wait(SourcesFound found)
    {
        lock (_lock)
        {
            while (_guest is null && _left > 0)
                Monitor.Wait(_lock);
            return _guest
                ?? throw new CliException(
                    $"--cluster: no source describes a guest of image {found.Name} ({_said}); let nodes serve the file "
                        + "that QEMU has saved: userfault node --role source --image FILE"
                );
        }
    }
}
