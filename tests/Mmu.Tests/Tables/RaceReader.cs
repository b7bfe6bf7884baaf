namespace Userfault.Mmu.Tests.Tables;

// A vCPU's thread: slices of walks and accesses over the window, each answer checked.
internal sealed class RaceReader
{
    private const int MostWalksPerSlice = 200;

    private readonly SecondStageTable _table;
    private readonly TableReader _reader;
    private readonly Random _random;
    private readonly Thread _thread;
    private volatile bool _stop;
    private volatile bool _expectStable;
    private long _walks;

    public RaceReader(SecondStageTable table, int seed)
    {
        _table = table;
        _reader = table.Readers.Add();
        _random = new Random(seed);
        _thread = new Thread(Run) { IsBackground = true };
    }

    public string? Failure { get; private set; }

    public long Present { get; private set; }

    public long Walks => Volatile.Read(ref _walks);

    // Is the reader still on its way to that many walks?
    public bool IsBelow(long walks) => Walks < walks && _thread.IsAlive;

    public void Start() => _thread.Start();

    public void ExpectStable() => _expectStable = true;

    public void Stop()
    {
        _stop = true;
        _thread.Join();
        _reader.Dispose();
    }

    private void Run()
    {
        while (!_stop && Failure == null)
        {
            var stable = _expectStable;
            // Short slices too, so that the writer finds moments in which nobody holds anything back.
            var walks = 1 + (_random.Next(2) * _random.Next(MostWalksPerSlice));
            _reader.Enter();
            for (var i = 0; i < walks; i++)
            {
                Walk(stable);
            }
            _reader.Exit();
            Volatile.Write(ref _walks, _walks + walks);
        }
    }

    private void Walk(bool expectStable)
    {
        var gfn = RaceWriter.PickGfn(_random);
        var result =
            _random.Next(4) == 0
                ? _table.TryAccess(new Gfn(gfn), Access.Write, out var accessed)
                    ? accessed
                    : _table.Walk(new Gfn(gfn))
                : _table.Walk(new Gfn(gfn));
        if (!result.IsPresent)
        {
            if (expectStable && RaceWriter.IsStable(gfn) && !_table.NeedsBreakBeforeMake)
            {
                Failure = $"gfn {gfn:x} is mapped all the time and was not found: {result}";
            }
            return;
        }
        Present++;
        var delta = result.Pfn.Value - gfn;
        if (
            delta is not (RaceWriter.Delta or RaceWriter.OtherDelta)
            || result.Level > PageLevel.Size1G
            || (result.Access & Access.Read) == 0
        )
        {
            Failure = $"gfn {gfn:x} led to garbage: {result}";
        }
    }
}
