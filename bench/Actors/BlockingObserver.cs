using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Bench.Actors;

/// <summary>Where the benchmark's own thread waits for a migration's report.</summary>
internal sealed class BlockingObserver : IDisposable
{
    private readonly ManualResetEventSlim _done = new();
    private MigrationReport? _report;

    public MigrationReport Wait()
    {
        _done.Wait();
        return _report!;
    }

    public void Dispose() => _done.Dispose();

    public sealed class Actor(BlockingObserver observer) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is not MigrationReport report)
                return;
            observer._report = report;
            observer._done.Set();
        }
    }
}
