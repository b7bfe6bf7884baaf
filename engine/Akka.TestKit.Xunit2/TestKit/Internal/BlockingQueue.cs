using System.Diagnostics;

namespace Akka.TestKit.Internal;

/// <summary>
/// Messages on their way from test actors to the test's thread. Any number of writers; readers wait with a timeout and
/// may look at the head without taking it, which is how ReceiveWhile leaves the message that ends it in place.
/// </summary>
internal sealed class BlockingQueue<T>
{
    private readonly Queue<T> _items = new();

    public int Count
    {
        get
        {
            lock (_items)
                return _items.Count;
        }
    }

    public void Enqueue(T item)
    {
        lock (_items)
        {
            _items.Enqueue(item);
            Monitor.PulseAll(_items);
        }
    }

    public List<T> DrainAll()
    {
        lock (_items)
        {
            var all = _items.ToList();
            _items.Clear();
            return all;
        }
    }

    /// <summary>Takes the head; waits up to <paramref name="timeout"/> for one (zero: not at all, negative: for ever).</summary>
    public bool TryTake(out T item, TimeSpan timeout, CancellationToken cancellationToken)
    {
        lock (_items)
        {
            if (!WaitForItem(timeout, cancellationToken))
            {
                item = default!;
                return false;
            }
            item = _items.Dequeue();
            return true;
        }
    }

    /// <summary>Like <see cref="TryTake"/>, but the head stays.</summary>
    public bool TryPeek(out T item, TimeSpan timeout)
    {
        lock (_items)
        {
            if (!WaitForItem(timeout, CancellationToken.None))
            {
                item = default!;
                return false;
            }
            item = _items.Peek();
            return true;
        }
    }

    // Called and left with the lock held. Cancellation is a false, not an exception, as in the official kit's queue.
    private bool WaitForItem(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var wakeUp = cancellationToken.Register(Wake);
        try
        {
            var start = Stopwatch.GetTimestamp();
            while (_items.Count == 0)
            {
                var left = timeout.IsInfinite() ? timeout : timeout - Stopwatch.GetElapsedTime(start);
                var expired = !timeout.IsInfinite() && left <= TimeSpan.Zero;
                if (expired || cancellationToken.IsCancellationRequested)
                    return false;
                Monitor.Wait(_items, WholeMilliseconds(left));
            }
            return true;
        }
        finally
        {
            // Not Dispose: that would wait for a Wake that waits for this lock.
            wakeUp.Unregister();
        }
    }

    // Rounded up: a wait of zero would spin to the deadline.
    private static int WholeMilliseconds(TimeSpan time) => time.IsInfinite()
        ? Timeout.Infinite
        : (int)Math.Min(Math.Ceiling(time.TotalMilliseconds), int.MaxValue);

    private void Wake()
    {
        lock (_items)
            Monitor.PulseAll(_items);
    }
}
