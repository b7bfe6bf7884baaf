using Userfault.Actors;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Host.Tests.Kvm;

/// <summary>
/// Plays the part of a kernel that has KVM_MEM_USERFAULT: takes regions with a bitmap, works through the guest's
/// batches itself, and exits where a bit is set, as spec and design say KVM_RUN does.
/// </summary>
internal sealed unsafe class ModelKvmHost : IKvmHost, IMemoryRegionCalls
{
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, UserspaceMemoryRegion2> _regions = [];
    private volatile bool _hangs;

    public IMemoryRegionCalls Regions => this;

    public uint Slots => 64;

    public int MaxVcpus { get; init; } = 8;

    public bool HasUserfault { get; init; } = true;

    /// <summary>Never finishes a batch unless kicked: a guest that hangs.</summary>
    public bool Hangs
    {
        get => _hangs;
        set => _hangs = value;
    }

    /// <summary>Every region call, as (slot, flags).</summary>
    public List<(uint Slot, MemslotFlags Flags)> Calls { get; } = [];

    /// <summary>Every userfault exit, in the order in which they came: vCPU and page.</summary>
    public List<(int Vcpu, ulong Page)> Exits { get; } = [];

    public LinuxErrno SetUserMemoryRegion(in UserspaceMemoryRegion2 region) => LinuxErrno.EINVAL;

    public LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region)
    {
        lock (_lock)
        {
            Calls.Add((region.Slot, region.MemslotFlags));
            if (_regions.TryGetValue(region.Slot, out var old) && old.UserspaceAddress != region.UserspaceAddress)
                return LinuxErrno.EINVAL;
            _regions[region.Slot] = region;
            return LinuxErrno.None;
        }
    }

    public GuestLeaves? CountLeaves() => null;

    public IVcpuRunner CreateVcpu(GuestLayout layout, nint boot, int number, int ring) =>
        new Vcpu(this, layout.Batch((byte*)boot, number), number);

    public void Dispose() { }

    // Null where the bit is set.
    private ulong* Translate(int vcpu, ulong gpa)
    {
        lock (_lock)
        {
            foreach (var (_, region) in _regions)
            {
                var offset = gpa - region.GuestPhysicalAddress;
                if (offset >= region.MemorySize)
                    continue;
                var page = offset >> Page.Shift;
                if (
                    (region.MemslotFlags & MemslotFlags.Userfault) != 0
                    && (Volatile.Read(ref ((ulong*)region.UserfaultBitmap)[page / 64]) >> (int)(page % 64) & 1) != 0
                )
                {
                    Exits.Add((vcpu, gpa >> Page.Shift));
                    return null;
                }

                return (ulong*)(region.UserspaceAddress + offset);
            }
        }

        throw new InvalidOperationException($"the guest touched 0x{gpa:x}, where no region is");
    }

    private sealed class Vcpu(ModelKvmHost host, GuestBatch batch, int number) : IVcpuRunner
    {
        private readonly ManualResetEventSlim _kick = new();
        private int _next;

        public int Thread => number + 1;

        public ulong MmioDatum => 0;

        public void Adopt() { }

        public void AnswerMmio(ulong datum) { }

        public void Kick() => _kick.Set();

        public void TakeKick() => _kick.Reset();

        public KvmExit Run()
        {
            if (host.Hangs)
                _kick.Wait();
            for (; _next < batch.Count; _next++)
            {
                if (_kick.IsSet)
                    return new KvmExit(KvmExitKind.Interrupted);
                var gpa = batch.AddressOf(_next);
                var word = host.Translate(number, gpa);
                if (word == null)
                {
                    return new KvmExit(
                        KvmExitKind.MemoryFault,
                        gpa & ~(ulong)Page.OffsetMask,
                        (ulong)MemoryFaultFlags.Userfault
                    );
                }

                batch.Value(_next) = batch.IsWrite(_next)
                    ? Interlocked.Exchange(ref *word, batch.Value(_next))
                    : Volatile.Read(ref *word);
            }

            if (host.Hangs)
                return new KvmExit(KvmExitKind.Interrupted);
            _next = 0;
            return new KvmExit(KvmExitKind.Io, Port: GuestProgram.ReportPort);
        }

        public void Dispose() => _kick.Dispose();
    }
}
