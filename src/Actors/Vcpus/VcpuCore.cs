using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// A vCPU as the memory system sees it: it makes the accesses of its stream, resolves hits through its TLB and a
/// lock-free walk of the memslot's table, as hardware does, and stops at the first access that leaves the guest. It has
/// at most one fault outstanding. Single owner; time is a parameter.
/// </summary>
internal sealed class VcpuCore : IDisposable
{
    private readonly VcpuSettings _settings;
    private readonly IAccessStream _stream;
    private readonly GuestSpace _space;
    private readonly IGuestMemory _memory;
    private readonly StampLedger _ledger;
    private readonly GuestVerifier _checker;
    private readonly Tlb _tlb;
    private readonly TableReader _reader;
    private readonly bool _marksDirty;
    private readonly LatencyHistogram _latency = new();
    private AccessPoint _next;
    private MemoryPage _page;
    private bool _hasNext;
    private int _hint;
    private ulong _sequence;
    private long _startNs;
    private long _faultNs;
    private long _stallNs;
    private long _finishedNs = -1;
    private long _reads;
    private long _writes;
    private long _wrongReads;
    private long _faults;
    private long _mmio;

    /// <summary>A vCPU that has not started.</summary>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="stream">The accesses that it makes.</param>
    /// <param name="space">The memslots.</param>
    /// <param name="content">Guest memory and its expected content.</param>
    /// <param name="policy">The VM's policy.</param>
    public VcpuCore(
        int number,
        VcpuSettings settings,
        IAccessStream stream,
        GuestSpace space,
        GuestContent content,
        MmuPolicy policy
    )
    {
        Number = number;
        _settings = settings;
        _stream = stream;
        _space = space;
        _memory = content.Memory;
        _ledger = content.Ledger;
        _checker = content.NewVerifier();
        _tlb = new Tlb(settings.Tlb);
        _reader = space.Readers.Add();
        _marksDirty = policy.UsesHardwareDirtyLog;
    }

    /// <summary>Its number, from 0.</summary>
    public int Number { get; }

    /// <summary>Is it waiting for a fault to be resolved?</summary>
    public bool IsFaulted { get; private set; }

    /// <summary>The access that left the guest, while <see cref="IsFaulted"/>.</summary>
    public VcpuAccess PendingFault => new(_next.Gfn, _next.Kind, _next.IsPrivate);

    /// <summary>The slot of that access; null if there is no memslot.</summary>
    public SlotView? FaultingSlot { get; private set; }

    /// <summary>After <see cref="SliceEnd.NotDue"/>: when the next access is due, in ns.</summary>
    public long DueNs { get; private set; }

    /// <summary>Has the stream ended?</summary>
    public bool IsFinished => _finishedNs >= 0;

    /// <summary>Are accesses made as private memory (guest_memfd VMs)?</summary>
    public bool AccessesPrivately { get; init; }

    /// <summary>Starts the vCPU's clock.</summary>
    public void Start(long nowNs) => _startNs = nowNs;

    /// <summary>Accounts for time in which it could not run although it had no fault: the VM was paused.</summary>
    public void AddPause(long ns) => _startNs += ns;

    /// <summary>Makes accesses until the slice ends.</summary>
    public SliceEnd Run(long nowNs)
    {
        if (IsFaulted)
            throw new InvalidOperationException($"vCPU {Number} runs with a fault outstanding");
        if (IsFinished)
            return SliceEnd.Finished;
        // Tables are walked only between Enter and Exit: pages freed in between stay readable until Exit.
        _reader.Enter();
        try
        {
            return RunSlice(nowNs);
        }
        finally
        {
            _reader.Exit();
        }
    }

    /// <summary>The fault is resolved: the access is repeated in the next slice.</summary>
    public void Resume(long nowNs)
    {
        if (!IsFaulted)
            throw new InvalidOperationException($"vCPU {Number} is resumed without a fault");
        IsFaulted = false;
        _latency.Record(nowNs - _faultNs);
        _stallNs += nowNs - _faultNs;
    }

    /// <summary>The access was emulated by a device or aborted into the guest: the guest continues after it.</summary>
    public void ResumeBehind(long nowNs)
    {
        Resume(nowNs);
        _hasNext = false;
        _mmio++;
    }

    /// <summary>Drops cached translations.</summary>
    public void Flush(GfnRange range)
    {
        if (!range.IsEmpty)
            _tlb.FlushRange(range);
    }

    /// <summary>The counters since the start; the histogram is a copy.</summary>
    public VcpuReport Report() =>
        new(
            Number,
            _reads + _writes,
            _reads,
            _writes,
            _wrongReads,
            _faults,
            _mmio,
            _stallNs,
            _finishedNs < 0 ? -1 : _finishedNs - _startNs,
            _latency.Snapshot(),
            _tlb.Stats
        );

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _checker.Dispose();
    }

    private SliceEnd RunSlice(long nowNs)
    {
        var horizonNs = nowNs - _startNs - _stallNs + _settings.RunAheadNs;
        for (var i = 0; i < _settings.SliceAccesses; i++)
        {
            if (!_hasNext && !TakeNext())
            {
                _finishedNs = nowNs;
                return SliceEnd.Finished;
            }

            if (_next.DueNs > horizonNs)
            {
                DueNs = _next.DueNs + _startNs + _stallNs;
                return SliceEnd.NotDue;
            }

            if (!Translate())
            {
                IsFaulted = true;
                _faultNs = nowNs;
                _faults++;
                return SliceEnd.Fault;
            }

            Perform();
            _hasNext = false;
        }

        return SliceEnd.BudgetUsed;
    }

    private bool TakeNext()
    {
        if (!_stream.TryNext(out var access))
            return false;
        _next = new AccessPoint(access.Gfn, access.Kind, access.DueNs, AccessesPrivately);
        return _hasNext = true;
    }

    private bool Translate()
    {
        if (_tlb.Lookup(_next.Gfn, _next.Kind, out var cached))
        {
            _page = HostMapping.PageOf(cached.Pfn);
            return true;
        }

        FaultingSlot = _space.Find(_next.Gfn, ref _hint);
        if (FaultingSlot is not { } slot || !slot.Core.Table.TryAccess(_next.Gfn, _next.Kind, out var walk))
            return false;
        _page = HostMapping.PageOf(walk.Pfn);
        _tlb.Insert(_next.Gfn, walk.Pfn, walk.Access, walk.Level, walk.IsDirty);
        if (_marksDirty && _next.Kind == Access.Write)
            slot.Core.LogWrite(_next.Gfn, walk.Level);
        return true;
    }

    private void Perform()
    {
        if (_next.Kind == Access.Write)
        {
            _writes++;
            _memory.Write(_page, GuestStamp.Of(Number, ++_sequence), _ledger);
            return;
        }

        _reads++;
        if (!_checker.CouldRead(_page, Number, _memory.Read(_page, Number), _sequence))
            _wrongReads++;
    }

    private readonly record struct AccessPoint(Gfn Gfn, Access Kind, long DueNs, bool IsPrivate);
}
