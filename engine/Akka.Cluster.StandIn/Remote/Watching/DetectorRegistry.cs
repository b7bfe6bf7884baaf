namespace Akka.Remote.Watching;

/// <summary>One failure detector a node. A node that nobody has heard of yet counts as available.</summary>
internal sealed class DetectorRegistry<TNode>(PhiAccrualDetector.Options options) where TNode : notnull
{
    private readonly Dictionary<TNode, PhiAccrualDetector> _detectors = [];

    public bool IsMonitoring(TNode node) => _detectors.ContainsKey(node);

    public void Heartbeat(TNode node, TimeSpan now)
    {
        if (!_detectors.TryGetValue(node, out var detector))
            _detectors.Add(node, detector = new PhiAccrualDetector(options));
        detector.Heartbeat(now);
    }

    public bool IsAvailable(TNode node, TimeSpan now)
        => !_detectors.TryGetValue(node, out var detector) || detector.IsAvailable(now);

    public void Remove(TNode node) => _detectors.Remove(node);
}
