using System.Globalization;
using Akka.Actor;
using Akka.Configuration;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// A process of the contract suite, as the child sees it: reads one command per line until its input ends. It runs one
/// node after another; a closed node finishes its shutdown in the background.
/// </summary>
internal sealed class ChildNode
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TextWriter _output;
    private readonly Lock _writing = new();

    // Followers live in a system of their own, so that they outlive the node's actor system.
    private readonly ActorSystem _ears = ActorSystem.Create("ears", "akka.loglevel = OFF");

    private NodeSystem? _node;
    private IActorRef _recorder = ActorRefs.Nobody;
    private string _name = "";
    private int _generation;

    private ChildNode(TextWriter output) => _output = output;

    private IMembership Membership => _node?.Membership ?? throw new InvalidOperationException("no node was opened");

    public static void Run(TextReader input, TextWriter output)
    {
        var child = new ChildNode(output);
        while (input.ReadLine() is { } line)
        {
            try
            {
                child.Write($"{ChildLines.Ok} {child.Do(line.Split(' '))}");
            }
            catch (Exception e)
            {
                // The test fails with this text.
                child.Write($"{ChildLines.Error} {e.ToString().ReplaceLineEndings(" | ")}");
            }
        }
    }

    private string Do(string[] words)
    {
        switch (words)
        {
            case ["open", var generation, var system, var name, var port, var rule, var pauseMs]:
                var splitBrain = Enum.Parse<SplitBrainRule>(rule);
                return Open(ReadInt(generation), system, name, ReadInt(port), splitBrain, ReadInt(pauseMs));
            case ["close"]:
                _ = _node?.System.Terminate();
                break;
            case ["join", .. var seeds]:
                Membership.Join([.. seeds.Select(Address.Parse)]);
                break;
            case ["leave"]:
                Membership.Leave();
                break;
            case ["down", var address]:
                Membership.Down(Address.Parse(address));
                break;
            case ["follow", var follower]:
                Follow(follower);
                break;
            case ["tell", var address, var first, var count]:
                var to = Address.Parse(address);
                ForEach(first, count, n => Tell(to, n));
                break;
            case ["subscribe", var topic]:
                Membership.Subscribe(ChildLines.Unescape(topic), _recorder);
                break;
            case ["unsubscribe", var topic]:
                Membership.Unsubscribe(ChildLines.Unescape(topic), _recorder);
                break;
            case ["publish", var escaped, var first, var count]:
                var on = ChildLines.Unescape(escaped);
                ForEach(first, count, n => Membership.Publish(on, ContractMessage.Of(_name, on, n)));
                break;
            default:
                throw new FormatException($"no such command: {string.Join(' ', words)}");
        }

        return "";
    }

    private string Open(int generation, string system, string name, int port, SplitBrainRule rule, int pauseMs)
    {
        // The previous node of this process may still hold the port.
        if (port != 0 && _node is { } former && !former.System.WhenTerminated.Wait(Patience))
            throw new TimeoutException("the previous node does not end");
        var settings = new NodeSettings
        {
            SystemName = system,
            Role = ContractNodes.RoleOf(name),
            Port = port,
            SplitBrain = rule,
            StableAfter = TimeSpan.FromSeconds(1),
            Actors = [RecorderActor.Name],
        };
        // The log becomes a part of the message of a failed test.
        var log = ConfigurationFactory.ParseString("akka.loglevel = WARNING");
        _node = NodeSystem.Open(settings, log.WithFallback(TestSettings.With(TimeSpan.FromMilliseconds(pauseMs))));
        (_generation, _name) = (generation, name);
        void Hear(HeardMessage heard) => Write($"{ChildLines.Heard} {generation} {ChildLines.Of(heard)}");
        _recorder = _node.System.ActorOf(RecorderActor.Props(name, Hear), RecorderActor.Name);
        Follow(IContractCluster.FirstFollower);
        return ChildLines.Of(Membership.Self);
    }

    private void Tell(Address to, long number) =>
        Membership.Tell(to, RecorderActor.Name, ContractMessage.Of(_name, null, number), _recorder);

    private void Follow(string follower)
    {
        var generation = _generation;
        Membership.Follow(_ears.ActorOf(FollowerActor.Props(
            said => Write($"{ChildLines.Event} {generation} {follower} {ChildLines.Of(said)}"))));
    }

    private void Write(string line)
    {
        lock (_writing)
        {
            _output.WriteLine(line);
            _output.Flush();
        }
    }

    private static void ForEach(string first, string count, Action<long> act)
    {
        var start = ChildLines.ReadNumber(first);
        for (var n = start; n < start + ChildLines.ReadNumber(count); n++) act(n);
    }

    private static int ReadInt(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
