using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// A server of an image's pages on a simulated network: latency, one line for all its answers, faults, death and
/// return. Each <see cref="Connect"/> makes a separate connection, to be given to a fetcher as a page source.
/// </summary>
public sealed class SimPageServer
{
    private readonly SimWorld _world;
    private readonly SimServerSettings _settings;
    private readonly SimRandom _random;
    private readonly LinkModel _line;
    private readonly SimLabel _label;
    private readonly List<SimRequest?> _answers = [];
    private readonly Stack<int> _free = new();
    private readonly List<SimPageSource> _connections = [];
    private readonly List<SimRequest> _held = [];
    private long _timerNs = long.MaxValue;
    private bool _isStalled;

    /// <summary>A server that is up.</summary>
    /// <param name="world">The world that it is part of.</param>
    /// <param name="image">The image that it serves.</param>
    /// <param name="settings">Its behaviour; null answers at once.</param>
    public SimPageServer(SimWorld world, ITaggedImage image, SimServerSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(image);
        _settings = settings ?? new SimServerSettings();
        (_world, Image, Faults) = (world, image, _settings.Faults);
        _random = world.Random($"server {_settings.Name}");
        _line = new LinkModel(new LinkSettings(BitsPerSecond: _settings.BitsPerSecond));
        _label = new SimLabel($"server {_settings.Name}");
    }

    /// <summary>Its name.</summary>
    public string Name => _settings.Name;

    /// <summary>The image that it serves.</summary>
    public ITaggedImage Image { get; }

    /// <summary>Its faults from now on.</summary>
    public SimSourceFaults Faults { get; set; }

    /// <summary>Factor for its latency from now on; 1 for the latency of its settings.</summary>
    public int Slowdown { get; set; } = 1;

    /// <summary>Is it running?</summary>
    public bool IsUp { get; private set; } = true;

    /// <summary>Requests that have reached it.</summary>
    public long Requests { get; private set; }

    /// <summary>Pages that it has sent.</summary>
    public long PagesSent { get; private set; }

    internal PageBatchPool Pool { get; } = new();

    /// <summary>A connection; if the server is down, one that is lost at its first request.</summary>
    public IPageSource Connect()
    {
        var connection = new SimPageSource(this, _world);
        _connections.Add(connection);
        return connection;
    }

    /// <summary>
    /// The server dies: every connection is lost with its outstanding requests, and new ones are refused.
    /// </summary>
    public void Kill()
    {
        IsUp = false;
        foreach (var connection in _connections.ToArray())
            connection.Break();
    }

    /// <summary>The server is up again, for new connections.</summary>
    public void Restart() => IsUp = true;

    /// <summary>Breaks every connection; new ones can be made at once.</summary>
    public void BreakConnections()
    {
        foreach (var connection in _connections.ToArray())
            connection.Break();
    }

    /// <summary>Nothing is delivered any more, as on a cut network; no client is notified.</summary>
    public void Stall() => _isStalled = true;

    /// <summary>Delivers the answers that were held while it was stalled.</summary>
    public void Resume()
    {
        _isStalled = false;
        var held = _held.ToArray();
        _held.Clear();
        foreach (var request in held)
            request.Connection.Answer(request);
    }

    internal void Forget(SimPageSource connection) => _connections.Remove(connection);

    internal void Ask(SimRequest request)
    {
        Requests++;
        request.Fault = DrawFault();
        if (request.Fault == SimFault.Never)
            return;
        var readyNs = _world.NowNs + (_settings.Latency.Draw(_random) * Slowdown);
        if (request.Fault == SimFault.Late)
            readyNs += Faults.LateNs;
        if (!_free.TryPop(out var slot))
        {
            slot = _answers.Count;
            _answers.Add(null);
        }

        _answers[slot] = request;
        _line.Submit(readyNs, (ulong)slot, BytesOf(request), request.Priority);
        SetTimer();
    }

    internal void CountSent(int pages) => PagesSent += pages;

    internal ulong DrawBelow(ulong bound) => _random.Below(bound);

    private void SetTimer()
    {
        // The timer for the next answer is set; those for later answers are set when it fires.
        if (_line.NextDueNs >= _timerNs)
            return;
        _timerNs = _line.NextDueNs;
        _world.At(_timerNs, _label, OnTimer);
    }

    private void OnTimer()
    {
        // This timer was set before one for an earlier answer, which has handled everything due. If steps take time,
        // timers fire late.
        if (_timerNs > _world.NowNs)
            return;
        _timerNs = long.MaxValue;
        while (_line.TryComplete(_world.NowNs, out var key, out _))
        {
            var request = _answers[(int)key]!;
            _answers[(int)key] = null;
            _free.Push((int)key);
            if (_isStalled)
                _held.Add(request);
            else
                request.Connection.Answer(request);
        }

        if (_line.Outstanding > 0)
            SetTimer();
    }

    private long BytesOf(SimRequest request)
    {
        if (_settings.BitsPerSecond == 0)
            return 0;
        long bytes = 0;
        foreach (var range in request.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                bytes +=
                    LocalPageSource.HeaderBytes + (Image.TagOf(range.Start.Plus(i)) == PageTag.Zero ? 0 : Page.Size);
            }
        }

        return bytes;
    }

    private SimFault DrawFault()
    {
        var faults = Faults;
        if (ReferenceEquals(faults, SimSourceFaults.None))
            return SimFault.None;
        var at = _random.Fraction();
        ReadOnlySpan<(SimFault Fault, double Share)> shares =
        [
            (SimFault.Short, faults.Short),
            (SimFault.WrongPage, faults.WrongPage),
            (SimFault.Duplicate, faults.Duplicate),
            (SimFault.Late, faults.Late),
            (SimFault.Never, faults.Never),
            (SimFault.Refuse, faults.Refuse),
            (SimFault.Break, faults.Break),
            (SimFault.Corrupt, faults.Corrupt),
        ];
        foreach (var (fault, share) in shares)
        {
            if (at < share)
                return fault;
            at -= share;
        }

        return SimFault.None;
    }
}
