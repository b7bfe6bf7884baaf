using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Units (pages, or huge pages) whose content is on its way, and those that have become whole and wait to be sent:
/// requested ones before others. A unit that is fetched for push and then requested counts as requested.
/// </summary>
/// <param name="ram">What was sent.</param>
/// <param name="contents">Where the contents come from.</param>
internal sealed class PageFetches(GuestRam ram, IPageContents contents)
{
    private readonly Dictionary<ulong, Unit> _units = [];
    private readonly Queue<(MemoryPageRange Unit, long AtNs)> _demanded = new();
    private readonly Queue<MemoryPageRange> _others = new();

    /// <summary>Requested units that are not sent yet.</summary>
    public int Demanded { get; private set; }

    /// <summary>Pages that are on their way for push, or wait to be pushed.</summary>
    public ulong PushPages { get; private set; }

    /// <summary>Has a unit that was requested; true where all of it is here and it can be sent at once.</summary>
    public bool IsHere(MemoryPageRange unit, long atNs)
    {
        if (_units.TryGetValue(unit.Start.Value, out var known))
        {
            if (!known.IsDemand)
            {
                Demanded++;
                PushPages -= unit.Count;
                _units[unit.Start.Value] = known with { IsDemand = true, AtNs = atNs };
                _ = CountMissing(unit, FetchPriority.Demand);
            }

            return false;
        }

        var missing = CountMissing(unit, FetchPriority.Demand);
        if (missing == 0)
            return true;
        _units.Add(unit.Start.Value, new Unit(missing, IsDemand: true, atNs));
        Demanded++;
        return false;
    }

    /// <summary>Has a unit that is to be pushed; true where all of it is here and it can be sent at once.</summary>
    public bool IsHereForPush(MemoryPageRange unit)
    {
        if (_units.ContainsKey(unit.Start.Value))
            return false;
        var missing = CountMissing(unit, FetchPriority.Background);
        if (missing == 0)
            return true;
        _units.Add(unit.Start.Value, new Unit(missing, IsDemand: false, AtNs: 0));
        PushPages += unit.Count;
        return false;
    }

    /// <summary>A page has arrived.</summary>
    public void OnArrived(MemoryPage page)
    {
        var unit = ram.UnitOf(page);
        if (!_units.TryGetValue(unit.Start.Value, out var known))
            return;
        if (known.Missing > 1)
        {
            _units[unit.Start.Value] = known with { Missing = known.Missing - 1 };
            return;
        }

        _ = _units.Remove(unit.Start.Value);
        if (known.IsDemand)
            _demanded.Enqueue((unit, known.AtNs));
        else
            _others.Enqueue(unit);
    }

    /// <summary>A requested unit that has become whole.</summary>
    public bool TryTakeDemanded(out MemoryPageRange unit, out long atNs)
    {
        while (_demanded.TryDequeue(out var next))
        {
            Demanded--;
            (unit, atNs) = next;
            if (!ram.IsSent(unit.Start))
                return true;
        }

        (unit, atNs) = (default, 0);
        return false;
    }

    /// <summary>A unit to push that has become whole.</summary>
    public bool TryTakePushed(out MemoryPageRange unit)
    {
        while (_others.TryDequeue(out unit))
        {
            PushPages -= unit.Count;
            if (!ram.IsSent(unit.Start))
                return true;
        }

        return false;
    }

    /// <summary>Recovery: the destination requests again what it waits for; what is on its way is pushed.</summary>
    public void ForgetRequests()
    {
        foreach (var (start, unit) in _units)
        {
            if (!unit.IsDemand)
                continue;
            _units[start] = unit with { IsDemand = false };
            PushPages += ram.UnitOf(new MemoryPage(start)).Count;
        }

        while (_demanded.TryDequeue(out var next))
        {
            _others.Enqueue(next.Unit);
            PushPages += next.Unit.Count;
        }

        Demanded = 0;
    }

    private int CountMissing(MemoryPageRange unit, FetchPriority priority)
    {
        var missing = 0;
        for (ulong i = 0; i < unit.Count; i++)
        {
            if (!contents.IsHere(unit.Start.Plus(i), priority))
                missing++;
        }

        return missing;
    }

    private readonly record struct Unit(int Missing, bool IsDemand, long AtNs);
}
