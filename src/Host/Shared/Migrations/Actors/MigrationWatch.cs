using System.Threading.Channels;
using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>
/// Supervises a migration and passes on what it tells. A migration that fails is not started anew, which would forget
/// what the guest has done: that it is broken is the last news, so that whoever waits for the report gets an answer in
/// any case. Passes commands on to the migration.
/// </summary>
internal sealed class MigrationWatch : UntypedActor
{
    private readonly ChannelWriter<object> _news;
    private readonly IActorRef _migration;

    /// <summary>A watch over the migration that is made with this actor as its observer.</summary>
    public MigrationWatch(Func<IActorRef, Props> migration, ChannelWriter<object> news)
    {
        _news = news;
        _migration = Context.ActorOf(migration(Self), "migration");
    }

    /// <summary>A migration that waits for its start.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="fetchers">The fetcher pool.</param>
    /// <param name="dispatcher">The migration's dispatcher.</param>
    /// <param name="news">Gets progress, the report, and <see cref="Broken"/> where none will come.</param>
    public static Props Props(MigrationPlan plan, IActorRef fetchers, string dispatcher, ChannelWriter<object> news) =>
        Props(self => MigrationActor.Props(plan, fetchers, self).WithDispatcher(dispatcher), news);

    /// <summary>Watches any actor that behaves like a migration.</summary>
    internal static Props Props(Func<IActorRef, Props> migration, ChannelWriter<object> news) =>
        Akka.Actor.Props.Create(() => new MigrationWatch(migration, news));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(failure =>
        {
            _news.TryWrite(
                new Broken($"the migration failed: {failure.GetType().Name}: {failure.Message.ReplaceLineEndings(" ")}")
            );
            return Directive.Stop;
        });

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        if (message is MigrationProtocol.ICommand)
            _migration.Forward(message);
        else
            _news.TryWrite(message);
    }

    /// <summary>There will be no report.</summary>
    /// <param name="Reason">Why.</param>
    internal sealed record Broken(string Reason);
}
