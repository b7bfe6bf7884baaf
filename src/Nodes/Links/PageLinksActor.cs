using Akka.Actor;
using Akka.Event;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// Keeps a connection to every server that <see cref="PageLinksCore"/> wants, retries lost ones, and reports the open
/// ones to the callbacks of its settings.
/// </summary>
public sealed class PageLinksActor : UntypedActor, IWithTimers
{
    private readonly PageLinksSettings _settings;
    private readonly PageLinksCore _core;
    private readonly Dictionary<Address, IPageSource> _clients = [];
    private readonly HashSet<Address> _given = [];
    private readonly Dictionary<Address, RefusalReason> _broken = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();

    /// <summary>See <see cref="Props"/>.</summary>
    public PageLinksActor(PageLinksSettings settings) =>
        (_settings, _core) = (
            settings,
            new PageLinksCore(settings.OfferedAs ?? settings.Client.Image, settings.ThroughFetchers)
        );

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A keeper that waits for <see cref="NodeProtocol.NodesChanged"/>.</summary>
    public static Props Props(PageLinksSettings settings) =>
        Akka.Actor.Props.Create(() => new PageLinksActor(settings));

    /// <inheritdoc/>
    protected override void PostStop()
    {
        foreach (var client in _clients.OrderBy(static c => c.Key, AddressOrder.Instance))
            client.Value.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NodeProtocol.NodesChanged changed:
                _core.Update(changed.Nodes);
                Perform();
                break;
            case PageLinksProtocol.Opened opened when IsCurrent(opened.Node, opened.Client):
                OnOpened(opened);
                break;
            case PageLinksProtocol.Closed closed when IsCurrent(closed.Node, closed.Client):
                OnClosed(closed);
                break;
            case PageLinksProtocol.Retry retry:
                if (_core.Retry(retry.Node) is { } target)
                    Connect(target);
                break;
            case PageLinksProtocol.GetLinks:
                Sender.Tell(new PageLinksProtocol.Links(_core.Open, _core.Pending, _core.Seen, _core.Lost));
                break;
            case PageLinksProtocol.ICommand:
                // From a connection that was closed before.
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private bool IsCurrent(Address node, IPageSource client) => _clients.GetValueOrDefault(node) == client;

    private void OnOpened(PageLinksProtocol.Opened opened)
    {
        _core.Opened(opened.Node);
        var target = _core.Open.First(t => t.Node.Equals(opened.Node));
        _given.Add(opened.Node);
        _broken.Remove(opened.Node);
        _settings.Opened(target, opened.Client);
        Perform();
    }

    private void OnClosed(PageLinksProtocol.Closed closed)
    {
        _core.Closed(closed.Node);
        TakeBack(closed.Node, closed.Client);
        // A node that stays away is retried again and again: it is logged once per reason.
        if (!_broken.TryGetValue(closed.Node, out var last) || last != closed.Reason.Reason)
            _log.Warning("{Node}: {Reason}: {Text}", closed.Client.Name, closed.Reason.Reason, closed.Reason.Text);
        _broken[closed.Node] = closed.Reason.Reason;
        Timers.StartSingleTimer(closed.Node, new PageLinksProtocol.Retry(closed.Node), _settings.RetryAfter);
        Perform();
    }

    private void Perform()
    {
        var (close, open) = _core.Decide();
        foreach (var target in close)
        {
            if (_clients.TryGetValue(target.Node, out var client))
                TakeBack(target.Node, client);
        }

        foreach (var target in open)
            Connect(target);
    }

    private void TakeBack(Address node, IPageSource client)
    {
        _clients.Remove(node);
        if (_given.Remove(node))
            _settings.Closed(node, client);
        client.Dispose();
    }

    private void Connect(PageLinkTarget target) =>
        _clients[target.Node] = _settings.Plane.Connect(target, ClientOf(target), new Owner(Self, target.Node));

    // By the identity that the other end knows it by.
    private PageClientOptions ClientOf(PageLinkTarget target) =>
        target.Image == (_settings.OfferedAs ?? _settings.Client.Image) ? _settings.Client
        : _settings.OfferedAs is null ? _settings.Client with { Image = target.Image }
        : _settings.Client with { Image = ImageManifest.IdentityOf(target.Image) };

    private sealed class Owner(IActorRef keeper, Address node) : IPageLinkOwner
    {
        public void Opened(IPageSource client) =>
            keeper.Tell(new PageLinksProtocol.Opened(node, client), ActorRefs.NoSender);

        public void Closed(IPageSource client, Refusal reason) =>
            keeper.Tell(new PageLinksProtocol.Closed(node, client, reason), ActorRefs.NoSender);
    }
}
