using Userfault.Actors;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kvm.Tests;

/// <summary>The newer region call is used only where it says more: kernels before 6.8 do not have it.</summary>
public class RegionCallTests
{
    [SkippableTheory]
    [InlineData(KvmMode.Userfaultfd, false)]
    [InlineData(KvmMode.Kick, false)]
    [InlineData(KvmMode.Holes, false)]
    [InlineData(KvmMode.Userfault, true)]
    public void A_mode_uses_the_call_that_it_needs(object taken, bool isSecond)
    {
        var mode = (KvmMode)taken;
        if (mode is KvmMode.Userfaultfd or KvmMode.Kick)
            Skip.If(Userfaultfd.WhyNot() is not null, Userfaultfd.WhyNot());
        var host = new RecordingHost { HasUserfault = isSecond };
        using var memory = new KvmGuestMemory(64, mode);
        using var machine = new KvmMachine(host, memory, vcpus: 1, mode, ring: 3, holePages: 64);
        Assert.Equal([isSecond], host.Calls);
    }

    private sealed class RecordingHost : IKvmHost, IMemoryRegionCalls
    {
        /// <summary>Each call: was it the newer one?</summary>
        public List<bool> Calls { get; } = [];

        public IMemoryRegionCalls Regions => this;

        public uint Slots => 64;

        public int MaxVcpus => 1;

        public bool HasUserfault { get; init; }

        public LinuxErrno SetUserMemoryRegion(in UserspaceMemoryRegion2 region) => Took(isSecond: false);

        public LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region) => Took(isSecond: true);

        public GuestLeaves? CountLeaves() => null;

        public IVcpuRunner CreateVcpu(GuestLayout layout, nint boot, int number, int ring) => new NoVcpu();

        public void Dispose() { }

        private LinuxErrno Took(bool isSecond)
        {
            Calls.Add(isSecond);
            return LinuxErrno.None;
        }
    }

    private sealed class NoVcpu : IVcpuRunner
    {
        public int Thread => 0;

        public ulong MmioDatum => 0;

        public void Adopt() { }

        public KvmExit Run() => new(KvmExitKind.Interrupted);

        public void AnswerMmio(ulong datum) { }

        public void Kick() { }

        public void TakeKick() { }

        public void Dispose() { }
    }
}
