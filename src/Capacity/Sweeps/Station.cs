namespace Userfault.Capacity;

/// <summary>
/// A server with two queues: demand before background, each in order; whoever is served is not interrupted. The run
/// plays its events; this keeps who is where.
/// </summary>
internal sealed class Station
{
    private readonly Queue<(int Job, long ServiceNs)> _demand = new();
    private readonly Queue<(int Job, long ServiceNs)> _background = new();
    private int _job = -1;

    /// <summary>Time spent serving, in ns, with what is served now.</summary>
    public long BusyNs { get; private set; }

    /// <summary>Somebody comes. Answers the service time that begins now, or -1 where he has to wait.</summary>
    public long Offer(int job, long serviceNs, bool isDemand)
    {
        if (_job < 0)
            return Begin(job, serviceNs);
        (isDemand ? _demand : _background).Enqueue((job, serviceNs));
        return -1;
    }

    /// <summary>
    /// Service is over. Answers whose, and the service time that begins now, or -1 where nobody waits.
    /// </summary>
    public (int Job, long NextNs) Finish()
    {
        var done = _job;
        _job = -1;
        if (_demand.TryDequeue(out var next) || _background.TryDequeue(out next))
            return (done, Begin(next.Job, next.ServiceNs));
        return (done, -1);
    }

    private long Begin(int job, long serviceNs)
    {
        _job = job;
        BusyNs += serviceNs;
        return serviceNs;
    }
}
