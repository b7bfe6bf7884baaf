using System.Threading.Channels;
using Akka.Actor;
using Akka.Event;
using Userfault.Nodes;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Which events of the actor systems' log reach a user, and as what text.</summary>
public sealed class UserLogTests
{
    private const string Node = "akka.tcp://userfault@127.0.0.1:7001";
    private const string Writer = "akka://userfault/system/endpointManager/reliableEndpointWriter-x-2/endpointWriter";

    // What a user cannot do anything about: another node or a stranger has caused it.
    [Theory]
    [InlineData("Akka.Remote.ReliableDeliverySupervisor, Akka.Remote", Node + "/system/endpointManager/x", "Association with remote system {0} has failed; address is now gated for {1} ms. Reason is: [{2}]")]
    [InlineData("Akka.Actor.OneForOneStrategy, Akka", Writer, "Disassociated")]
    [InlineData("Akka.Remote.EndpointWriter, Akka.Remote", Writer, "AssociationError [{0}] -> {1}: Error [{2}] []")]
    [InlineData("Akka.Remote.EndpointReader, Akka.Remote", Writer, "Deserialization failed for message with serializer id [{0}] and manifest [{1}]")]
    [InlineData("Akka.Event.DummyClassForStringSources, Akka", "remoting (akka://userfault)", "Tried to associate with unreachable remote address [{0}]. Address is now gated")]
    [InlineData("Akka.Event.DummyClassForStringSources, Akka", "remoting (akka://userfault)", "Association to [{0}] with UID [{1}] is irrecoverably failed. Quarantining address.")]
    [InlineData("Akka.Event.DummyClassForStringSources, Akka", "Cluster (akka://userfault)", "Cluster Node [{0}] - {1}")]
    [InlineData("Akka.Event.DummyClassForStringSources, Akka", "remoting-terminator", "Shutting down remote daemon.")]
    [InlineData("Akka.Remote.Transport.DotNetty.TcpTransport, Akka.Remote", "TcpTransport (akka://userfault)", "Failed to bind to {0}; shutting down DotNetty transport.")]
    [InlineData("Akka.Remote.Transport.DotNetty.TcpServerHandler, Akka.Remote", "TcpServerHandler (akka://userfault)", "Unable to REMOVE channel [{0}->{1}](Id={2}) from connection group. May not shut down cleanly.")]
    [InlineData("Akka.Remote.Transport.DotNetty.TcpServerHandler, Akka.Remote", "TcpServerHandler (akka://userfault)", "TLS handshake failed on channel [{0}->{1}](Id={2})")]
    [InlineData("Akka.Remote.Transport.ProtocolStateActor, Akka.Remote", Node + "/system/transports/x", "No response from remote for inbound association. Handshake timed out after [{0}] ms")]
    [InlineData("Akka.Cluster.ClusterCoreDaemon, Akka.Cluster", Node + "/system/cluster/core/daemon", "Cluster Node [{0}] - Marking node(s) as UNREACHABLE [{1}]. Node roles [{2}]")]
    [InlineData("Akka.Cluster.ClusterHeartbeatSender, Akka.Cluster", Node + "/system/cluster/core/daemon/heartbeatSender", "Cluster Node [{0}] - Scheduled sending of heartbeat was delayed.")]
    [InlineData("Akka.Cluster.JoinSeedNodeProcess, Akka.Cluster", Node + "/system/cluster/core/daemon/x", "Couldn't join seed nodes after [{0}] attempts, will try again. seed-nodes=[{1}]")]
    [InlineData("Akka.Cluster.Tools.PublishSubscribe.DistributedPubSubMediator, Akka.Cluster.Tools", Node + "/system/distributedPubSubMediator", "anything")]
    [InlineData("Akka.Actor.CoordinatedShutdown, Akka", "CoordinatedShutdown (akka://userfault)", "Coordinated shutdown phase [{0}] timed out after {1}")]
    public void What_others_cause_is_shown_to_who_asks_for_details_alone(string logClass, string source, string template)
    {
        foreach (var said in new LogEvent[] { new Warning(source, Class(logClass), new Said(template)), new Error(null, source, Class(logClass), new Said(template)) })
        {
            Assert.Null(UserLog.LineOf(said, isDetailed: false));
            Assert.Contains(source, UserLog.LineOf(said, isDetailed: true), StringComparison.Ordinal);
        }
    }

    // What this process's own actors say, and defects of this process.
    [Theory]
    [InlineData("Userfault.Nodes.NodeActor, Userfault.Nodes", Node + "/user/node", "{Node} has been out of reach for {Seconds} s: downed")]
    [InlineData("Userfault.Nodes.SplitBrainActor, Userfault.Nodes", Node + "/system/cluster/core/daemon/downingProvider", "{Node} is downed")]
    [InlineData("Akka.Actor.OneForOneStrategy, Akka", "akka://userfault/user/relay", "Object reference not set")]
    [InlineData("Akka.Remote.EndpointWriter, Akka.Remote", Writer, "Serialization failed for message [{0}]. Transient association error (association remains live)")]
    [InlineData("Akka.Remote.EndpointWriter, Akka.Remote", Writer, "Transient association error (association remains live)")]
    [InlineData("Akka.Cluster.ClusterCoreSupervisor, Akka.Cluster", Node + "/system/cluster/core", "Cluster node [{0}] crashed, [{1}] - shutting down...")]
    public void What_is_this_process_s_own_is_always_shown(string logClass, string source, string template)
    {
        var said = new Error(null, source, Class(logClass), new Said(template));

        Assert.StartsWith("userfault: error: ", UserLog.LineOf(said, isDetailed: false), StringComparison.Ordinal);
        Assert.StartsWith($"userfault: error: [{source}] ", UserLog.LineOf(said, isDetailed: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Templates_and_exceptions_come_out_as_one_line_of_text()
    {
        using var system = ActorSystem.Create("log", "akka { loglevel = WARNING, loggers = [], stdout-loglevel = OFF }");
        var log = Logging.GetLogger(system, typeof(NodeActor));
        var lines = Channel.CreateUnbounded<string?>();
        var listener = system.ActorOf(Props.Create(() => new Listener(lines.Writer)));
        system.EventStream.Subscribe(listener, typeof(LogEvent));

        log.Warning("{Node} is away for {Seconds} s", Node, 2.5);
        log.Warning("{0} after {1}", "gone", 3);
        log.Error(new InvalidOperationException("no\nbitmap"), "{Actor} cannot go on", "relay");
        log.Error(new InvalidOperationException("no bitmap"), "no bitmap");

        Assert.Equal($"userfault: warning: {Node} is away for 2.5 s", await lines.Reader.ReadAsync());
        Assert.Equal("userfault: warning: gone after 3", await lines.Reader.ReadAsync());
        Assert.Equal("userfault: error: relay cannot go on: InvalidOperationException: no bitmap", await lines.Reader.ReadAsync());
        Assert.Equal("userfault: error: no bitmap", await lines.Reader.ReadAsync());
        await system.Terminate();
    }

    private static Type Class(string name) => Type.GetType(name, throwOnError: true)!;

    private sealed class Listener(ChannelWriter<string?> lines) : UntypedActor
    {
        protected override void OnReceive(object message) => lines.TryWrite(UserLog.LineOf((LogEvent)message, isDetailed: false));
    }

    // A message with its template, as the engine's loggers make them.
    private sealed class Said(string template) : LogMessage(SemanticLogMessageFormatter.Instance, template)
    {
        public override string Unformatted() => Format;

        public override IEnumerable<object> Parameters() => [];

        public override string ToString() => Format;
    }
}
