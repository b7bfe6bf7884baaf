namespace Userfault.Mmu.Tests;

/// <summary>
/// Tables, TLBs, messages and shootdowns together under a random schedule. The one promise that counts: once a flush
/// is complete, no vCPU that runs can translate to a frame that was unmapped before it. And everything completes.
/// </summary>
public class TlbShootdownModelTests
{
    [Theory]
    [InlineData(11, 1)]
    [InlineData(12, 2)]
    [InlineData(13, 5)]
    public void A_completed_flush_leaves_no_stale_translation(int seed, int vcpus)
    {
        var machine = new Machine(new Random(seed), vcpus);
        for (var step = 0; step < 30_000; step++)
        {
            machine.Step();
            if (machine.Stale() is { } stale)
                Assert.Fail($"seed {seed}, step {step}: {stale}");
        }
        Assert.True(
            machine.Flushes > 200 && machine.Entries > 500,
            $"{machine.Flushes} flushes, {machine.Entries} entries"
        );
        machine.Drain();
        Assert.True(machine.AllComplete);
    }

    /// <summary>One writer of a table and some vCPUs; the queues between them are in order, one each way.</summary>
    private sealed class Machine
    {
        private const int Frames = 12;
        private readonly Random _random;
        private readonly TlbShootdown _shootdown;
        private readonly Vcpu[] _vcpus;

        // What the table maps; every mapping gets a host frame that was never used before.
        private readonly Pfn?[] _table = new Pfn?[Frames];
        private readonly Dictionary<Pfn, ulong> _unmappedAt = [];
        private ulong _nextFrame = 1;

        public Machine(Random random, int vcpus)
        {
            _random = random;
            _shootdown = new TlbShootdown(vcpus);
            _vcpus = [.. Enumerable.Range(0, vcpus).Select(_ => new Vcpu())];
        }

        public int Flushes { get; private set; }

        public int Entries { get; private set; }

        public bool AllComplete => _shootdown.Completed == _shootdown.Requested;

        public void Step()
        {
            var vcpu = _random.Next(_vcpus.Length);
            switch (_random.Next(80))
            {
                case 0:
                    Zap();
                    break;
                case < 30:
                    Receive(vcpu);
                    break;
                case < 55:
                    Hear(vcpu);
                    break;
                default:
                    Run(vcpu);
                    break;
            }
        }

        /// <summary>Delivers everything that is under way.</summary>
        public void Drain()
        {
            while (_vcpus.Any(v => v.ToVcpu.Count + v.ToOwner.Count > 0))
            {
                for (var vcpu = 0; vcpu < _vcpus.Length; vcpu++)
                {
                    Receive(vcpu);
                    Hear(vcpu);
                }
            }
        }

        /// <summary>Null, or a translation that a complete flush should have removed.</summary>
        public string? Stale()
        {
            for (var index = 0; index < _vcpus.Length; index++)
            {
                if (!_vcpus[index].Runs)
                    continue;
                for (var gfn = 0UL; gfn < Frames; gfn++)
                {
                    if (!_vcpus[index].Tlb.Lookup(new Gfn(gfn), Access.Read, out var entry))
                        continue;
                    if (_unmappedAt.TryGetValue(entry.Pfn, out var flush) && _shootdown.IsComplete(flush))
                    {
                        return $"vCPU {index} reaches {entry.Pfn} after flush {flush}";
                    }
                }
            }
            return null;
        }

        private void Zap()
        {
            var start = _random.Next(Frames);
            var range = new GfnRange(new Gfn((ulong)start), (ulong)_random.Next(Math.Min(4, Frames - start)) + 1);
            var flush = _shootdown.Request(range);
            Flushes++;
            for (var gfn = start; gfn < start + (int)range.Count; gfn++)
            {
                if (_table[gfn] is { } pfn)
                    _unmappedAt[pfn] = flush;
                _table[gfn] = null;
            }
            for (var vcpu = 0; vcpu < _vcpus.Length; vcpu++)
            {
                if (!_shootdown.Owes(vcpu, flush))
                    continue;
                _vcpus[vcpu].ToVcpu.Enqueue(new(_shootdown.PendingFor(vcpu), Resume: false));
            }
        }

        // The vCPU takes its next message.
        private void Receive(int index)
        {
            var vcpu = _vcpus[index];
            if (!vcpu.ToVcpu.TryDequeue(out var message))
                return;
            vcpu.Tlb.FlushRange(message.Flush.Range);
            if (message.Resume)
                vcpu.Runs = true;
            else
                vcpu.ToOwner.Enqueue(message.Flush.Generation);
        }

        // The owner takes the vCPU's next message: an answer, or a fault (null), which it resolves and lets it enter.
        private void Hear(int index)
        {
            var vcpu = _vcpus[index];
            if (!vcpu.ToOwner.TryDequeue(out var answer))
                return;
            if (answer is { } generation)
            {
                _shootdown.Acknowledge(index, generation);
                return;
            }
            _shootdown.ExitGuest(index);
            vcpu.Waits = true;
        }

        private void Run(int index)
        {
            var vcpu = _vcpus[index];
            if (vcpu.Waits)
            {
                vcpu.Waits = false;
                _table[vcpu.Fault] ??= new Pfn(_nextFrame++);
                vcpu.ToVcpu.Enqueue(new(_shootdown.EnterGuest(index), Resume: true));
            }
            if (!vcpu.Runs)
                return;
            var gfn = _random.Next(Frames);
            if (vcpu.Tlb.Lookup(new Gfn((ulong)gfn), Access.Read, out _))
                return;
            if (_table[gfn] is { } pfn)
            {
                vcpu.Tlb.Insert(new Gfn((ulong)gfn), pfn, Access.Read, PageLevel.Size4K, dirty: false);
                Entries++;
                return;
            }
            vcpu.Runs = false;
            vcpu.Fault = gfn;
            vcpu.ToOwner.Enqueue(null);
        }

        private sealed class Vcpu
        {
            public Tlb Tlb { get; } = new(TlbConfig.Default);

            public Queue<Message> ToVcpu { get; } = new();

            public Queue<ulong?> ToOwner { get; } = new();

            /// <summary>Is it in guest mode in truth? The owner learns of it later.</summary>
            public bool Runs { get; set; }

            /// <summary>Does the owner know that it waits for a frame?</summary>
            public bool Waits { get; set; } = true;

            public int Fault { get; set; }
        }

        private readonly record struct Message(TlbFlush Flush, bool Resume);
    }
}
