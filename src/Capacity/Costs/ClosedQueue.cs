namespace Userfault.Capacity;

/// <summary>
/// Closed queues: customers think, wait for a server, are served, and start again. The vCPUs of a guest and the readers
/// of one userfaultfd form such a queue; so do vCPUs and the cache lines that all of them write.
/// </summary>
internal static class ClosedQueue
{
    /// <summary>
    /// The mean time of one round (thinking, waiting, service) in ns, by exact mean value analysis. It grows with the
    /// number of customers, from <paramref name="thinkNs"/> + <paramref name="serviceNs"/> for a single one towards
    /// customers * service.
    /// </summary>
    public static double RoundNs(int customers, double thinkNs, double serviceNs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(customers, 1);
        double waiting = 0,
            round = 0;
        for (var n = 1; n <= customers; n++)
        {
            // An arriving customer sees the queue as it is with one customer fewer (arrival theorem).
            var responseNs = serviceNs * (1 + waiting);
            round = thinkNs + responseNs;
            waiting = n * responseNs / round;
        }

        return round;
    }

    /// <summary>
    /// The mean time at a server in ns, where each of the others is found with the probability that it is there:
    /// y = service + others * y / (think + y). This is Schweitzer's approximation of mean value analysis, in closed
    /// form. With <paramref name="thinkNs"/> = 0 everybody is always at the server, and the result is the straight line
    /// service + others.
    /// </summary>
    /// <param name="thinkNs">Time of a round away from the server.</param>
    /// <param name="serviceNs">Time at the server of a single customer.</param>
    /// <param name="othersNs">Time that all other customers together take there, one visit each.</param>
    public static double VisitNs(double thinkNs, double serviceNs, double othersNs)
    {
        var b = serviceNs + othersNs - thinkNs;
        return (b + Math.Sqrt((b * b) + (4 * serviceNs * thinkNs))) / 2;
    }
}
