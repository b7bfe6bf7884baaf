namespace Userfault.Pages;

/// <summary>
/// A recorded trace: what each vCPU of a real guest touched, and how many instructions it had executed by then. Held in
/// memory at 16 bytes a row.
/// </summary>
public sealed class TraceWorkload : IWorkload
{
    private readonly TraceRow[][] _rows;
    private readonly long _instructionsPerSecond;

    internal TraceWorkload(string name, TraceRow[][] rows, long instructionsPerSecond)
    {
        Name = name;
        _rows = rows;
        _instructionsPerSecond = instructionsPerSecond;
        Stats = TraceStats.Of(rows);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Vcpus => _rows.Length;

    /// <inheritdoc/>
    public ulong Pages => Stats.HighestGfn.Value + 1;

    /// <summary>What the trace holds, counted.</summary>
    public TraceStats Stats { get; }

    /// <summary>Reads a trace, plain or gzip (told by the file's first bytes).</summary>
    /// <param name="path">The file.</param>
    /// <param name="memoryPages">Pages of the guest memory it is for; a gfn past them is an error.</param>
    /// <param name="instructionsPerSecond">How fast a vCPU executes between touches; 0: order only.</param>
    /// <exception cref="PagingException">The file or a line of it is bad; the message names file and line.</exception>
    public static TraceWorkload Load(string path, ulong memoryPages, long instructionsPerSecond = 1_000_000_000)
    {
        ArgumentNullException.ThrowIfNull(path);
        AccessTiming.Check(instructionsPerSecond);
        using var reader = new TraceReader(path, memoryPages);
        return new TraceWorkload(path, reader.ReadAll(), instructionsPerSecond);
    }

    /// <inheritdoc/>
    public IAccessStream Open(int vcpu)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(vcpu);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(vcpu, Vcpus);
        return new Stream(_rows[vcpu], _instructionsPerSecond);
    }

    private sealed class Stream(TraceRow[] rows, long instructionsPerSecond) : IAccessStream
    {
        private int _next;

        public ulong Count => (ulong)rows.Length;

        public bool TryNext(out GuestAccess access)
        {
            if (_next == rows.Length)
            {
                access = default;
                return false;
            }
            var row = rows[_next++];
            access = new GuestAccess(row.Gfn, row.Kind, AccessTiming.DueNs(row.Instructions, instructionsPerSecond));
            return true;
        }
    }
}
