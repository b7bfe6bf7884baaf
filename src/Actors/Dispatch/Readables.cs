using Userfault.Linux;

namespace Userfault.Actors;

/// <summary>
/// The descriptors of an event loop. Additions come from any thread; everything else belongs to the loop's thread.
/// </summary>
/// <param name="bell">Where the loop sleeps.</param>
internal sealed class Readables(Doorbell bell)
{
    private readonly Lock _lock = new();
    private readonly List<IReadable> _added = [];
    private readonly List<IReadable> _all = [];
    private volatile bool _hasAdded;
    private bool _hasEnded;

    /// <summary>Has one been added since the last read?</summary>
    public bool HasAdded => _hasAdded;

    /// <summary>Is there nothing to read from?</summary>
    public bool IsEmpty => _all.Count == 0;

    /// <summary>From any thread; the loop then needs a ring.</summary>
    public bool TryAdd(IReadable readable)
    {
        if (!Doorbell.TakesDescriptors)
            return false;
        lock (_lock)
        {
            if (_hasEnded)
                return false;
            _added.Add(readable);
            _hasAdded = true;
        }

        return true;
    }

    public void Remove(IReadable readable)
    {
        bool wasAdded;
        lock (_lock)
        {
            wasAdded = _added.Remove(readable);
        }

        if (!wasAdded && _all.Remove(readable))
            Watch();
    }

    /// <summary>Reads each descriptor once. Returns false if there was nothing to read.</summary>
    public bool Read()
    {
        if (_hasAdded)
            TakeAdded();
        // From behind, since each may remove itself.
        for (var i = _all.Count - 1; i >= 0; i--)
            _all[i].OnIdle();
        return _all.Count switch
        {
            0 => false,
            // A read that finds nothing costs no more than asking whether there is something.
            1 => _all[0].TryRead(),
            _ => ReadReady(),
        };
    }

    /// <summary>The loop ends.</summary>
    public void End(Action<Exception> failed)
    {
        lock (_lock)
        {
            _hasEnded = true;
            _all.AddRange(_added);
            _added.Clear();
        }

        // Each removes itself, perhaps.
        foreach (var readable in _all.ToArray())
        {
#pragma warning disable CA1031 // One that throws must not keep the others from their end.
            try
            {
                readable.OnLoopEnded();
            }
            catch (Exception failure)
            {
                failed(failure);
            }
#pragma warning restore CA1031
        }
    }

    private bool ReadReady()
    {
        bell.Wait(0);
        var any = false;
        // One that is removed ends the round: the indexes are other ones now.
        for (var i = _all.Count - 1; i >= 0; i--)
        {
            if (!bell.IsReadable(i))
                continue;
            var before = _all.Count;
            any |= _all[i].TryRead();
            if (_all.Count != before)
                return true;
        }

        return any;
    }

    private void TakeAdded()
    {
        lock (_lock)
        {
            _all.AddRange(_added);
            _added.Clear();
            _hasAdded = false;
        }

        Watch();
    }

    private void Watch()
    {
        Span<int> descriptors = stackalloc int[Math.Min(_all.Count, 64)];
        if (_all.Count > descriptors.Length)
            descriptors = new int[_all.Count];
        for (var i = 0; i < _all.Count; i++)
            descriptors[i] = _all[i].Fd;
        bell.Watch(descriptors);
    }
}
