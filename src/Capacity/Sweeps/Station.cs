namespace Userfault.Capacity;

/// <summary>
/// A server with two queues: demand before background, each in order; a job in service is not interrupted. The run
/// processes its events; this class tracks the jobs.
/// </summary>
internal sealed class Station
{
    private readonly Queue<(int Job, long ServiceNs)> _demand = new();
    private readonly Queue<(int Job, long ServiceNs)> _background = new();
    private int _job = -1;

    /// <summary>Time spent serving, in ns, including the current job.</summary>
    public long BusyNs { get; private set; }

    /// <summary>A job arrives. Returns the service time that starts now, or -1 if the job must wait.</summary>
    public long Offer(int job, long serviceNs, bool isDemand)
    {
        if (_job < 0)
            return Begin(job, serviceNs);
        (isDemand ? _demand : _background).Enqueue((job, serviceNs));
        return -1;
    }

    /// <summary>
    /// Service has ended. Returns the job, and the service time that starts now, or -1 if no job waits.
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
