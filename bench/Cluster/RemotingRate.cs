using System.Diagnostics;
using Akka.Actor;

namespace Userfault.Bench.Cluster;

/// <summary>
/// Small messages between two processes: `bench -- remoting`. Several actors each keep a window of messages under way
/// to an echo in a child process; every message is counted once a direction.
/// </summary>
internal static class RemotingRate
{
    private const int Pairs = 4;
    private const int Window = 250;
    private const int RoundTripsPerPair = 200_000;

    public static int Run()
    {
        using var child = BenchNode.StartChild("children", "remoting-echo");
        var echoAddress =
            child.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The child did not start");
        using var system = BenchNode.Start();
        for (var round = 1; round <= 3; round++)
        {
            using var done = new CountdownEvent(Pairs);
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < Pairs; i++)
                system.ActorOf(Props.Create(() => new Pinger(echoAddress, done)));
            done.Wait();
            var seconds = watch.Elapsed.TotalSeconds;
            Console.WriteLine(
                $"round {round}: {2L * Pairs * RoundTripsPerPair / seconds:N0} messages/s, {seconds:N2} s"
            );
        }
        child.StandardInput.Close();
        child.WaitForExit();
        return 0;
    }

    /// <summary>The child: answers until its standard input ends.</summary>
    public static int Echo()
    {
        using var system = BenchNode.Start();
        system.ActorOf(Props.Create(() => new Echoer()), "echo");
        Console.WriteLine(((ExtendedActorSystem)system).Provider.DefaultAddress);
        Console.In.ReadToEnd();
        return 0;
    }

    private sealed class Echoer : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message);
    }

    private sealed class Pinger(string address, CountdownEvent done) : UntypedActor
    {
        private IActorRef _echo = ActorRefs.Nobody;
        private int _sent;
        private int _received;

        protected override void PreStart() =>
            Context.ActorSelection(address + "/user/echo").Tell(new Identify(null), Self);

        protected override void OnReceive(object message)
        {
            if (message is ActorIdentity identity)
            {
                _echo = identity.Subject;
                while (_sent < Window)
                    Send();
                return;
            }
            _received++;
            if (_received == RoundTripsPerPair)
                done.Signal();
            else if (_sent < RoundTripsPerPair)
                Send();
        }

        private void Send() => _echo.Tell(new BenchPing(_sent++), Self);
    }
}
