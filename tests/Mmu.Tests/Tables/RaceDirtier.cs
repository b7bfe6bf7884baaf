namespace Userfault.Mmu.Tests.Tables;

// A vCPU that writes to the 2 MiB that the table's owner is at, and remembers to which pages.
internal sealed class RaceDirtier
{
    private readonly SecondStageTable _table;
    private readonly TableReader _reader;
    private readonly Thread _thread;
    private readonly List<ulong>[] _written;
    private volatile int _current = -1;
    private volatile int _writtenUpTo = -1;
    private volatile bool _stop;

    public RaceDirtier(SecondStageTable table, int leaves)
    {
        _table = table;
        _reader = table.Readers.Add();
        _thread = new Thread(Run) { IsBackground = true };
        _written = new List<ulong>[leaves];
        for (var i = 0; i < leaves; i++)
        {
            _written[i] = [];
        }
    }

    public int Current
    {
        get => _current;
        set => _current = value;
    }

    public void Start() => _thread.Start();

    public void Stop()
    {
        _stop = true;
        _thread.Join();
        _reader.Dispose();
    }

    public void AwaitWriteTo(int leaf)
    {
        var spin = default(SpinWait);
        while (_writtenUpTo < leaf)
        {
            spin.SpinOnce(-1);
        }
    }

    public List<ulong> WrittenIn(int leaf) => _written[leaf];

    private void Run()
    {
        var random = new Random(7);
        var last = -1;
        var spin = default(SpinWait);
        while (!_stop)
        {
            var leaf = _current;
            if (leaf == last || leaf < 0)
            {
                spin.SpinOnce(-1);
                continue;
            }
            spin.Reset();
            var page = (ulong)random.Next(512);
            _reader.Enter();
            // While an arm64 block is broken the access leaves the guest, and is made again.
            if (_table.TryAccess(new Gfn(((ulong)leaf << 9) + page), Access.Write, out _))
            {
                _written[leaf].Add(page);
                _writtenUpTo = last = leaf;
            }
            _reader.Exit();
        }
    }
}
