using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>The questions that sweeps answer, each by simulating the necessary points.</summary>
public static class WhatIf
{
    /// <summary>More fetchers than a deployment would use.</summary>
    public const int MostFetchers = 256;

    /// <summary>The share of the best rate that counts as sufficient.</summary>
    public const double Enough = 0.95;

    private const int TouchesForRate = 128;

    private const double BitsPerPage = 8 * (Page.Size + 16);

    /// <summary>
    /// The minimum number of fetchers with which a guest reaches 95 % of its rate with <see cref="MostFetchers"/>.
    /// </summary>
    public static FetcherAnswer Fetchers(SweepPoint point)
    {
        var best = SweepRun.Of(point with { Fetchers = MostFetchers });
        var one = SweepRun.Of(point with { Fetchers = 1 });
        if (IsEnough(one))
            return new FetcherAnswer(1, one, one, best);
        var (low, high, answer) = (1, MostFetchers, best);
        while (high - low > 1)
        {
            var result = SweepRun.Of(point with { Fetchers = (low + high) / 2 });
            if (IsEnough(result))
                (high, answer) = (result.Point.Fetchers, result);
            else
                low = result.Point.Fetchers;
        }

        bool IsEnough(SweepResult result) => result.PagesPerSecond >= Enough * best.PagesPerSecond;
        return new FetcherAnswer(high, answer, one, best);
    }

    /// <summary>Compares demand alone with a replayed working set.</summary>
    public static ReplayAnswer Replay(SweepPoint point) =>
        new(
            SweepRun.Of(point with { Prefetch = PrefetchKind.None }),
            SweepRun.Of(point with { Prefetch = PrefetchKind.Replay })
        );

    /// <summary>
    /// The bandwidth that a guest uses on an unlimited network, in bits/s, and the number of vCPUs with which it fills
    /// each of these bandwidths.
    /// </summary>
    /// <param name="point">The guest; its bandwidth is ignored.</param>
    /// <param name="bandwidths">Bandwidths in bits/s.</param>
    /// <param name="mostVcpus">Maximum number of vCPUs to consider.</param>
    public static NetworkAnswer Network(SweepPoint point, IReadOnlyList<double> bandwidths, int mostVcpus)
    {
        ArgumentNullException.ThrowIfNull(point);
        // Only rates are needed, and these are stable after a few touches of many vCPUs.
        var free = point with
        {
            BitsPerSecond = 0,
            TouchesPerVcpu = Math.Min(point.TouchesPerVcpu, TouchesForRate),
        };
        var wanted = new Dictionary<int, double>();
        double WantedBy(int vcpus)
        {
            if (!wanted.TryGetValue(vcpus, out var bits))
                wanted[vcpus] = bits = SweepRun.Of(free with { Vcpus = vcpus }).PagesPerSecond * BitsPerPage;
            return bits;
        }

        var unbound = SweepRun.Of(point with { BitsPerSecond = 0 });

        // A network far from its capacity changes nothing.
        NetworkFill Fill(double bits) =>
            new(
                bits,
                FirstWith(vcpus => WantedBy(vcpus) >= bits, mostVcpus),
                unbound.PagesPerSecond * BitsPerPage < bits / 4
                    ? unbound
                    : SweepRun.Of(point with { BitsPerSecond = bits })
            );
        return new NetworkAnswer(unbound.PagesPerSecond * BitsPerPage, [.. bandwidths.Select(Fill)]);
    }

    // The rate of all vCPUs rises to a peak and may fall behind it, where lines take longer with each vCPU that waits:
    // the first doubling at which it holds, then bisection below.
    private static int? FirstWith(Func<int, bool> holds, int most)
    {
        var (low, high) = (0, 1);
        while (!holds(high))
        {
            if (high == most)
                return null;
            (low, high) = (high, Math.Min(most, high * 2));
        }

        while (high - low > Math.Max(1, high / 32))
        {
            var middle = (low + high) / 2;
            if (holds(middle))
                high = middle;
            else
                low = middle;
        }

        return high;
    }
}
