using System.Text.Json.Nodes;

namespace Userfault.Qemu;

/// <summary>
/// A destination that is driven by its monitor: made ready for post-copy, watched, and recovered. QEMU answers as long
/// as no command of its touches memory that is missing: only commands about the migration are given here.
/// </summary>
public sealed class QmpDestination : IAsyncDisposable
{
    private readonly QmpClient _client;
    private readonly string _path;
    private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly Task _loop;
    private string _status = "";
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isGone;

    private QmpDestination(string path, QmpClient client)
    {
        (_path, _client) = (path, client);
        _loop = FollowAsync();
    }

    /// <summary>QEMU's version.</summary>
    public string Version => _client.Version;

    /// <summary>Done when the guest runs; never where QEMU ends before.</summary>
    public Task Resumed => _resumed.Task;

    /// <summary>The migration's state as QEMU has named it last: <c>postcopy-paused</c>.</summary>
    public string Status
    {
        get
        {
            lock (_lock)
                return _status;
        }
    }

    /// <summary>Has QEMU closed its monitor?</summary>
    public bool IsGone
    {
        get
        {
            lock (_lock)
                return _isGone || _client.IsClosed;
        }
    }

    /// <summary>Connects to QEMU's monitor.</summary>
    /// <param name="path">The socket of <c>-qmp unix:PATH,server=on,wait=off</c>.</param>
    /// <param name="patience">How long to wait until something listens there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancelled">Ends the attempt.</param>
    /// <exception cref="QmpException">Nothing listens there, or it is no QEMU.</exception>
    public static async Task<QmpDestination> ConnectAsync(
        string path,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancelled
    ) => new(path, await QmpClient.ConnectAsync(path, patience, time, cancelled));

    /// <summary>Has QEMU wait for a post-copy migration.</summary>
    /// <param name="address">Where it is to listen.</param>
    /// <param name="hasPreempt">With a second channel?</param>
    /// <param name="cancelled">Ends the wait.</param>
    /// <exception cref="QmpException">It does not wait for a migration, or cannot do post-copy.</exception>
    public async Task PrepareAsync(DestinationAddress address, bool hasPreempt, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(address);
        var state = $"{(await _client.ExecuteAsync("query-status", null, cancelled))?["status"]}";
        if (state != "inmigrate")
        {
            throw new QmpException(
                $"--qmp {_path}: QEMU's guest is {state}, not waiting for a migration; start QEMU with -incoming defer"
            );
        }

        try
        {
            await SetCapabilitiesAsync(hasPreempt, cancelled);
        }
        catch (QmpException e) when (e.Message.Contains("Postcopy is not supported", StringComparison.Ordinal))
        {
            throw new QmpException(
                $"--qmp {_path}: this QEMU cannot do post-copy here; run it as root or set "
                    + "vm.unprivileged_userfaultfd=1, without memory on disk files and without locked memory",
                e
            );
        }

        try
        {
            _ = await _client.ExecuteAsync(
                "migrate-incoming",
                new JsonObject { ["uri"] = address.Absolute },
                cancelled
            );
        }
        catch (QmpException e) when (e.Message.Contains("already been started", StringComparison.Ordinal))
        {
            throw new QmpException($"{e.Message}; start QEMU with -incoming defer", e);
        }
    }

    /// <summary>Has a paused guest's QEMU wait for another connection.</summary>
    /// <param name="address">Where it is to listen.</param>
    /// <param name="stream">What the file holds: memory of another size is another guest's.</param>
    /// <param name="patience">How long to wait until it is paused.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancelled">Ends the wait.</param>
    /// <exception cref="QmpException">It is not paused, and does not become so.</exception>
    public async Task RecoverAsync(
        DestinationAddress address,
        SavedStream stream,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancelled
    )
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(stream);
        await QueryAsync(cancelled);
        if (!await WaitForAsync("postcopy-paused", patience, time, cancelled))
        {
            throw new QmpException(
                $"--qmp {_path}: {(Status.Length == 0 ? "there is no migration" : $"the migration is {Status}")}, "
                    + "not postcopy-paused; only a guest that runs and has lost its source can be recovered"
            );
        }

        await RequireMemoryAsync(stream, cancelled);
        _ = await _client.ExecuteAsync("migrate-recover", new JsonObject { ["uri"] = address.Absolute }, cancelled);
    }

    /// <summary>Waits until the migration has a state.</summary>
    /// <returns>False where it has another one when the time is over, or QEMU is gone.</returns>
    public async Task<bool> WaitForAsync(
        string status,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancelled
    )
    {
        ArgumentNullException.ThrowIfNull(time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        using var timer = time.CreateTimer(_ => over.Cancel(), null, patience, Timeout.InfiniteTimeSpan);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_status == status)
                    return true;
                if (_isGone || _status is "failed" or "completed")
                    return false;
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(over.Token);
            }
            catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
            {
                return Status == status;
            }
        }
    }

    /// <summary>Why the migration failed, where QEMU tells it; else null.</summary>
    public async Task<string?> FailureAsync(CancellationToken cancelled)
    {
        try
        {
            return await QueryAsync(cancelled);
        }
        catch (QmpException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _loop;
    }

    // A source with another file would be told of blocks that it does not have; QEMU 7.2 does not survive that.
    private async Task RequireMemoryAsync(SavedStream stream, CancellationToken cancelled)
    {
        var summary = await _client.ExecuteAsync("query-memory-size-summary", null, cancelled);
        if (summary?["base-memory"]?.GetValue<ulong>() is not { } there)
            return;
        var main = stream.Blocks.FirstOrDefault(static b => b.Name == "pc.ram");
        if (stream.Blocks.Aggregate(0UL, static (sum, b) => sum + b.Bytes) < there || (main?.Bytes ?? there) != there)
        {
            throw new QmpException(
                $"--qmp {_path}: the guest has {there >> 20} MiB of memory, and the file is of another one; give the "
                    + "file that the restore began with"
            );
        }
    }

    private async Task<string?> QueryAsync(CancellationToken cancelled)
    {
        var answer = await _client.ExecuteAsync("query-migrate", null, cancelled);
        if (answer?["status"] is { } status)
            Set($"{status}");
        return answer?["error-desc"]?.ToString();
    }

    private async Task SetCapabilitiesAsync(bool hasPreempt, CancellationToken cancelled)
    {
        JsonArray capabilities = [Capability("events"), Capability("postcopy-ram")];
        if (hasPreempt)
            capabilities.Add(Capability("postcopy-preempt"));
        _ = await _client.ExecuteAsync(
            "migrate-set-capabilities",
            new JsonObject { ["capabilities"] = capabilities },
            cancelled
        );
    }

    private static JsonObject Capability(string name) => new() { ["capability"] = name, ["state"] = true };

    private async Task FollowAsync()
    {
        await foreach (var happened in _client.Events.ReadAllAsync())
        {
            if (happened.Name == "RESUME")
                _ = _resumed.TrySetResult();
            else if (happened.Name == "MIGRATION" && happened.Data?["status"] is { } status)
                Set($"{status}");
        }

        lock (_lock)
            _isGone = true;
        Set(Status);
    }

    private void Set(string status)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _status = status;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _ = changed.TrySetResult();
    }
}
