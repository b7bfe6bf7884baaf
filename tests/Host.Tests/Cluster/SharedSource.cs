using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>A source with metrics that several tests use: it serves who comes, and no test ends it.</summary>
public sealed class SharedSource : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private NodeProcess? _node;

    internal NodeProcess Node => _node!;

    public async Task InitializeAsync() =>
        _node = await NodeProcess.Start(
            "source",
            "--synthetic",
            "32M",
            "--config",
            _folder.Write("metrics.hocon", "userfault.cluster.metrics-port = 0")
        );

    public Task DisposeAsync()
    {
        _node?.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _folder.Dispose();
}
