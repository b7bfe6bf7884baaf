using System.Threading.Channels;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Cli;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Whoever waits for a migration's report gets an answer in any case.</summary>
public sealed class MigrationWatchTests
{
    [Fact]
    public async Task A_migration_that_fails_is_told_and_not_started_anew()
    {
        using var late = new CancellationTokenSource(Patience.Longest);
        var system = ActorSystem.Create("watch", "akka.loglevel = OFF, akka.stdout-loglevel = OFF");
        try
        {
            var news = Channel.CreateUnbounded<object>();
            var watch = system.ActorOf(
                MigrationWatch.Props(
                    _ => Props.Create(() => new Failing(news.Writer)).WithDispatcher("akka.actor.default-dispatcher"),
                    news.Writer
                )
            );
            var migration = Assert.IsAssignableFrom<IActorRef>(await news.Reader.ReadAsync(late.Token));
            system.ActorOf(Props.Create(() => new Witness(migration, news.Writer)));
            Assert.Equal("watched", await news.Reader.ReadAsync(late.Token));
            watch.Tell(MigrationProtocol.Start.Instance);
            var broken = Assert.IsType<MigrationWatch.Broken>(await news.Reader.ReadAsync(late.Token));
            Assert.Contains("no such thing", broken.Reason, StringComparison.Ordinal);
            Assert.Equal("ended", await news.Reader.ReadAsync(late.Token));
        }
        finally
        {
            await system.Terminate();
        }
    }

    private sealed class Failing : UntypedActor
    {
        public Failing(ChannelWriter<object> news) => news.TryWrite(Self);

        protected override void OnReceive(object message) => throw new InvalidOperationException("no such thing");
    }

    private sealed class Witness : UntypedActor
    {
        private readonly ChannelWriter<object> _news;

        public Witness(IActorRef migration, ChannelWriter<object> news)
        {
            _news = news;
            Context.Watch(migration);
            _news.TryWrite("watched");
        }

        protected override void OnReceive(object message) => _news.TryWrite(message is Terminated ? "ended" : message);
    }
}
