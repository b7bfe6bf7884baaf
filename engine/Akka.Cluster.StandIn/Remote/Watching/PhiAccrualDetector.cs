using Akka.Configuration;

namespace Akka.Remote.Watching;

/// <summary>
/// The phi-accrual failure detector (Hayashibara et al.): from the intervals between past heartbeats it says how
/// unlikely the present silence is. phi = -log10(P(a heartbeat comes later than this)), with a normal distribution of
/// the intervals whose mean is moved by the acceptable pause; the logistic approximation of its cumulative function is
/// good to 1e-4. Times are the scheduler's monotonic clock and come as parameters.
/// </summary>
internal sealed class PhiAccrualDetector(PhiAccrualDetector.Options options)
{
    private readonly Queue<double> _intervals = new();
    private double _sum;
    private double _squares;
    private TimeSpan? _last;

    public sealed record Options(
        double Threshold, int MaxSampleSize, TimeSpan MinStdDeviation, TimeSpan AcceptableHeartbeatPause, TimeSpan FirstHeartbeatEstimate)
    {
        public static Options From(Config config) => new(
            config.GetDouble("threshold"),
            config.GetInt("max-sample-size"),
            config.GetTimeSpan("min-std-deviation"),
            config.GetTimeSpan("acceptable-heartbeat-pause"),
            config.GetTimeSpan("heartbeat-interval"));
    }

    public void Heartbeat(TimeSpan now)
    {
        if (_last is not { } last)
        {
            // Nothing is known yet: begin with the interval that the settings promise, and doubt about it.
            var mean = options.FirstHeartbeatEstimate.TotalMilliseconds;
            Record(mean - (mean / 4));
            Record(mean + (mean / 4));
        }
        else if (IsAvailable(now))
        {
            Record((now - last).TotalMilliseconds);
        }
        _last = now;
    }

    public bool IsAvailable(TimeSpan now) => Phi(now) < options.Threshold;

    public double Phi(TimeSpan now)
    {
        if (_last is not { } last)
            return 0;
        var mean = _sum / _intervals.Count;
        var variance = Math.Max(0, (_squares / _intervals.Count) - (mean * mean));
        var deviation = Math.Max(Math.Sqrt(variance), options.MinStdDeviation.TotalMilliseconds);
        return Phi((now - last).TotalMilliseconds, mean + options.AcceptableHeartbeatPause.TotalMilliseconds, deviation);
    }

    internal static double Phi(double silence, double mean, double deviation)
    {
        var y = (silence - mean) / deviation;
        var e = Math.Exp(-y * (1.5976 + (0.070566 * y * y)));
        return silence > mean ? -Math.Log10(e / (1 + e)) : -Math.Log10(1 - (1 / (1 + e)));
    }

    private void Record(double interval)
    {
        if (_intervals.Count >= options.MaxSampleSize)
        {
            var oldest = _intervals.Dequeue();
            _sum -= oldest;
            _squares -= oldest * oldest;
        }
        _intervals.Enqueue(interval);
        _sum += interval;
        _squares += interval * interval;
    }
}
