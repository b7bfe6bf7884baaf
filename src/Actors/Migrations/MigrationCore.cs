namespace Userfault.Actors;

/// <summary>
/// The states of a migration and the transitions between them: Preparing -> Running -> (Paused &lt;-> Running) ->
/// Completed | Failed. No I/O; time is a parameter.
/// </summary>
internal sealed class MigrationCore(int vcpus, bool fetchAll)
{
    private readonly bool[] _finished = new bool[vcpus];
    private long? _startNs;
    private long _pausedNs;
    private long _pauseTotalNs;

    /// <summary>The current state.</summary>
    public MigrationState State { get; private set; } = MigrationState.Preparing;

    /// <summary>Why it is paused or failed.</summary>
    public string? Reason { get; private set; }

    /// <summary>vCPUs whose stream has ended.</summary>
    public int FinishedVcpus { get; private set; }

    /// <summary>When the last page was in place, in ns from the start; -1 while pages are missing.</summary>
    public long CompletionNs { get; private set; } = -1;

    /// <summary>When the last vCPU's stream ended, in ns from the start; -1 while one has not.</summary>
    public long GuestNs { get; private set; } = -1;

    /// <summary>Number and total length of the pauses.</summary>
    public (int Count, long TotalNs) Pauses { get; private set; }

    /// <summary>Has it completed or failed?</summary>
    public bool IsOver => State is MigrationState.Completed or MigrationState.Failed;

    /// <summary>
    /// Is everything ready to be verified: is every page in place, and have the guest's streams ended?
    /// </summary>
    public bool IsReadyToVerify => !IsOver && GuestNs >= 0 && (CompletionNs >= 0 || !fetchAll);

    /// <summary>Time since the guest was started, in ns; 0 if it was not.</summary>
    public long ElapsedNs(long nowNs) => nowNs - _startNs ?? 0;

    /// <summary>The guest is started.</summary>
    public void Started(long nowNs)
    {
        Require(State == MigrationState.Preparing, "start");
        State = MigrationState.Running;
        _startNs = nowNs;
        if (vcpus == 0)
            GuestNs = 0;
    }

    /// <summary>Pages cannot be fetched, or the VM was stopped. True if the state changes.</summary>
    public bool Pause(string reason, long nowNs)
    {
        if (State != MigrationState.Running)
            return false;
        (State, Reason, _pausedNs) = (MigrationState.Paused, reason, nowNs);
        return true;
    }

    /// <summary>Pages arrive again. True if the state changes.</summary>
    public bool Continue(long nowNs)
    {
        if (State != MigrationState.Paused)
            return false;
        (State, Reason) = (MigrationState.Running, null);
        _pauseTotalNs += nowNs - _pausedNs;
        Pauses = (Pauses.Count + 1, _pauseTotalNs);
        return true;
    }

    /// <summary>The last page is in place. True the first time.</summary>
    public bool AllPagesPresent(long nowNs)
    {
        if (CompletionNs >= 0 || State == MigrationState.Preparing)
            return false;
        CompletionNs = ElapsedNs(nowNs);
        return true;
    }

    /// <summary>A vCPU's stream has ended.</summary>
    public void VcpuFinished(int vcpu, long nowNs)
    {
        if (_finished[vcpu])
            return;
        _finished[vcpu] = true;
        if (++FinishedVcpus == vcpus)
            GuestNs = ElapsedNs(nowNs);
    }

    /// <summary>Verification is finished.</summary>
    public void Complete()
    {
        Require(!IsOver, "complete");
        (State, Reason) = (MigrationState.Completed, null);
    }

    /// <summary>It will not complete.</summary>
    public void Fail(string reason)
    {
        if (!IsOver)
            (State, Reason) = (MigrationState.Failed, reason);
    }

    private void Require(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"a migration cannot {what} while {State}");
    }
}
