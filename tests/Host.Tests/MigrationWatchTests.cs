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
            Assert.Equal("begun", await news.Reader.ReadAsync(late.Token));
            watch.Tell(MigrationProtocol.Start.Instance);
            var broken = Assert.IsType<MigrationWatch.Broken>(await news.Reader.ReadAsync(late.Token));
            Assert.Contains("no such thing", broken.Reason, StringComparison.Ordinal);
            watch.Tell(MigrationProtocol.Start.Instance);
            watch.Tell("behind it all");
            Assert.Equal("behind it all", await news.Reader.ReadAsync(late.Token));
        }
        finally
        {
            await system.Terminate();
        }
    }

    private sealed class Failing : UntypedActor
    {
        public Failing(ChannelWriter<object> news) => news.TryWrite("begun");

        protected override void OnReceive(object message) => throw new InvalidOperationException("no such thing");
    }
}
