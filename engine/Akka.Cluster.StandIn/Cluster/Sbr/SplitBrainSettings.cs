using Akka.Configuration;

namespace Akka.Cluster.SBR;

/// <summary>What akka.cluster.split-brain-resolver says.</summary>
internal sealed class SplitBrainSettings
{
    private readonly Config _config;

    public SplitBrainSettings(Config config)
    {
        _config = config.GetConfig("akka.cluster.split-brain-resolver");
        StableAfter = _config.GetTimeSpan("stable-after");
        DownAllWhenUnstable = _config.GetString("down-all-when-unstable") switch
        {
            "off" or "false" => null,
            "on" or "true" => Max(TimeSpan.FromSeconds(4), StableAfter * 0.75),
            _ => _config.GetTimeSpan("down-all-when-unstable"),
        };
    }

    public TimeSpan StableAfter { get; }

    public TimeSpan? DownAllWhenUnstable { get; }

    public ISplitBrainStrategy Strategy() => _config.GetString("active-strategy") switch
    {
        "keep-majority" => new KeepMajority(_config.GetString("keep-majority.role", "")),
        "static-quorum" => new StaticQuorum(QuorumSize(), _config.GetString("static-quorum.role", "")),
        var other => throw new ConfigurationException(
            $"akka.cluster.split-brain-resolver.active-strategy is '{other}': keep-majority and static-quorum are known here"),
    };

    private int QuorumSize()
    {
        var size = _config.GetString("static-quorum.quorum-size", "undefined") == "undefined" ? 0 : _config.GetInt("static-quorum.quorum-size");
        return size > 0 ? size : throw new ConfigurationException("akka.cluster.split-brain-resolver.static-quorum.quorum-size is not set");
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
