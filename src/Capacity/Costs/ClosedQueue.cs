namespace Userfault.Capacity;

/// <summary>
/// A closed queue, solved by exact mean value analysis: customers think, wait for one server, are served, and start
/// again. The vCPUs of a guest and the readers of one userfaultfd form such a queue.
/// </summary>
internal static class ClosedQueue
{
    /// <summary>
    /// The mean time of one round (thinking, waiting, service) in ns. It grows with the number of customers, from
    /// <paramref name="thinkNs"/> + <paramref name="serviceNs"/> for a single one towards customers * service.
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
}
