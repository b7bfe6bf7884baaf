namespace Userfault.Capacity;

/// <summary>
/// A closed queue by exact mean value analysis: customers who think, then wait for one server, then are served, and
/// start again. The vCPUs of a guest before the readers of one userfaultfd are such a queue.
/// </summary>
public static class ClosedQueue
{
    /// <summary>
    /// The mean time of one round (thinking, waiting, service) in ns. It grows with the customers, from
    /// <paramref name="thinkNs"/> + <paramref name="serviceNs"/> alone towards customers * service.
    /// </summary>
    public static double RoundNs(int customers, double thinkNs, double serviceNs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(customers, 1);
        double waiting = 0,
            round = 0;
        for (var n = 1; n <= customers; n++)
        {
            // Whoever arrives finds the queue as it is with one customer less (arrival theorem).
            var responseNs = serviceNs * (1 + waiting);
            round = thinkNs + responseNs;
            waiting = n * responseNs / round;
        }

        return round;
    }
}
