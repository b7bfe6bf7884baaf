namespace Userfault.Hostile.Tests;

/// <summary>Messages with allowed manifests and random content, to the actors that read them.</summary>
[Collection(Victims.Name)]
public sealed class GossipTests(Victims victims)
{
    public static TheoryData<int, string> Messages => new()
    {
        { 5, "HB" },
        { 5, "HBR" },
        { 5, "Akka.Cluster.GossipEnvelope, Akka.Cluster" },
        { 5, "Akka.Cluster.GossipStatus, Akka.Cluster" },
        { 5, "Akka.Cluster.InternalClusterAction+ExitingConfirmed, Akka.Cluster" },
        { 5, "Akka.Cluster.InternalClusterAction+InitJoin, Akka.Cluster" },
        { 5, "Akka.Cluster.InternalClusterAction+InitJoinAck, Akka.Cluster" },
        { 5, "Akka.Cluster.InternalClusterAction+InitJoinNack, Akka.Cluster" },
        { 5, "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster" },
        { 5, "Akka.Cluster.InternalClusterAction+Welcome, Akka.Cluster" },
        { 9, "A" },
        { 9, "B" },
        { 1706, "report/2" },
        { 1706, "nodes/1" },
        { 1706, "bits-cleared/1" },
        { 1706, "get-bitmap-range/1" },
        { 1706, "bitmap-range/1" },
    };

    private static readonly string[][] Readers =
    [
        ["system", "cluster", "core", "daemon"], ["system", "cluster", "heartbeatReceiver"],
        ["system", "distributedPubSubMediator"], ["user", "node"],
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task Random_content_harms_nobody(int serializer, string manifest)
    {
        using var peer = new RawPeer(victims.First).Associate();
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var junk = new byte[random.Next(seed)];
            random.NextBytes(junk);
            var said = new Said(serializer, manifest, junk);
            foreach (var names in Readers)
            {
                peer.Tell("/", said.To(names));
                peer.Tell($"/{string.Join('/', names)}", said);
            }
        }

        await peer.IsThrough();
        await victims.AreUndisturbed();
    }
}
