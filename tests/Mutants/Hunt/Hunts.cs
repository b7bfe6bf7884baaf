namespace Userfault.Mutants;

/// <summary>
/// Looks for all mutants in one mutated copy, at most two at a time: while one is waited for, the next ones of the list are looked
/// for already.
/// </summary>
public sealed class Hunts : IAsyncLifetime, IDisposable
{
    private const int AtOnce = 2;
    private readonly CancellationTokenSource _over = new();
    private readonly SemaphoreSlim _slots = new(AtOnce);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task<Finding>> _hunts = [];
    private Task<MutatedCopy>? _copy;
    private int _running;
    private int _waiting;

    /// <inheritdoc/>
    public Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await _over.CancelAsync();
        try
        {
            await Task.WhenAll(_hunts.Values);
        }
        catch (Exception e) when (e is OperationCanceledException or NoSdkException or InvalidDataException)
        {
            // Told to those who waited for it.
        }

        if (_copy is { IsCompletedSuccessfully: true }) (await _copy).Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _slots.Dispose();
        _over.Dispose();
    }

    /// <summary>What comes of looking for a mutant.</summary>
    internal async Task<Finding> FindAsync(Mutant mutant)
    {
        Task<Finding> hunt;
        lock (_lock)
        {
            _waiting++;
            hunt = Start(mutant);
            StartAhead();
        }

        try
        {
            return await hunt;
        }
        finally
        {
            lock (_lock) _waiting--;
        }
    }

    /// <summary>Does something with the copy, when it is there and there is room beside the hunts.</summary>
    internal async Task<T> UseAsync<T>(Func<MutatedCopy, CancellationToken, Task<T>> use)
    {
        await _slots.WaitAsync(_over.Token);
        try
        {
            return await use(await Copy(), _over.Token);
        }
        finally
        {
            _slots.Release();
        }
    }

    private Task<MutatedCopy> Copy()
    {
        lock (_lock) return _copy ??= MutatedCopy.BuildAsync(AllMutants.List, _over.Token);
    }

    private Task<Finding> Start(Mutant mutant)
    {
        if (_hunts.TryGetValue(mutant.Id, out var hunt)) return hunt;
        _running++;
        return _hunts[mutant.Id] = HuntAsync(mutant);
    }

    private void StartAhead()
    {
        while (_running < AtOnce && AllMutants.List.FirstOrDefault(m => !_hunts.ContainsKey(m.Id)) is { } next) _ = Start(next);
    }

    private async Task<Finding> HuntAsync(Mutant mutant)
    {
        // Its caller holds the lock.
        await Task.Yield();
        try
        {
            return await UseAsync((copy, cancelled) => mutant.FoundBy switch
            {
                Finder.InSwarm swarm => SwarmHunt.FindAsync(copy, mutant, swarm, cancelled),
                Finder.ByTest test => TestHunt.FindAsync(copy, mutant, test, cancelled),
                var other => throw new InvalidOperationException($"no such finder: {other}"),
            });
        }
        finally
        {
            lock (_lock)
            {
                _running--;
                if (_waiting > 0) StartAhead();
            }
        }
    }
}
