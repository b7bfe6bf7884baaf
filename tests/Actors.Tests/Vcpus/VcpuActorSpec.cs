using Akka.Actor;
using Akka.TestKit;
using Userfault.Mmu;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Vcpus;

/// <summary>A vCPU between its memslot and its VM, both probes.</summary>
public sealed class VcpuActorSpec : Spec
{
    private static readonly Gfn First = new(5);
    private static readonly Gfn Second = new(9);

    private readonly Guest _guest = new(64, workload: new ScriptedWorkload(64, [(5, Access.Read), (9, Access.Write)]));
    private readonly HostMapping _host;
    private readonly MemslotCore _slot;
    private readonly VcpuCore _core;
    private readonly TestProbe _memslot;
    private readonly TestProbe _vm;
    private readonly IActorRef _vcpu;

    public VcpuActorSpec(ITestOutputHelper output)
        : base(output)
    {
        var space = new GuestSpace(new TableReaders());
        _host = new HostMapping(MemoryKind.Anonymous, _guest.Memory.Base, 64, UffdModes.None);
        var range = new GfnRange(new Gfn(0), 64);
        _slot = new MemslotCore(
            new Memslot(SlotId.Of(0, 0), range, _guest.Memory.Base, MemslotFlags.None),
            MmuPolicy.X86,
            _host,
            new TableOptions { Readers = space.Readers }
        );
        (_memslot, _vm) = (CreateTestProbe(), CreateTestProbe());
        space.Publish([new SlotView(SlotId.Of(0, 0), range, _slot, _memslot)]);
        _core = new VcpuCore(0, new VcpuSettings(), _guest.Workload.Open(0), space, _guest.Content, MmuPolicy.X86);
        var seat = new VcpuSeat(0, space, _vm, new FaultGate(1), ActorRefs.Nobody);
        _vcpu = Sys.ActorOf(VcpuActor.Props(_core, new SchedulerTime(Sys.Scheduler), seat));
        _vcpu.Tell(VcpuProtocol.Start.Instance);
        ExpectFault(First);
    }

    [Fact]
    public void A_skip_of_another_page_does_not_skip_this_access()
    {
        _vcpu.Tell(new VcpuProtocol.Skip(First, FaultKind.Mmio));
        ExpectFault(Second);
        // The first fault was reported twice around a pause, and is answered twice.
        _vcpu.Tell(new VcpuProtocol.Skip(First, FaultKind.Mmio));
        Assert.Equal((1L, -1L), (Report().Mmio, Report().FinishedNs));

        _vcpu.Tell(new VcpuProtocol.Skip(Second, FaultKind.Mmio));
        _vm.ExpectMsg<VmProtocol.VcpuFinished>();
        Assert.Equal((2L, 0L), (Report().Mmio, Report().Accesses));
    }

    [Fact]
    public void A_fault_is_reported_again_when_the_vm_goes_on()
    {
        _vcpu.Tell(VcpuProtocol.Pause.Instance);
        _vm.ExpectMsg<VmProtocol.VcpuPaused>();
        // Resolved while it is paused: it makes the access when the VM goes on, not before.
        _vcpu.Tell(VcpuProtocol.Resume.Instance);
        Assert.Equal(0, Report().Accesses);
        _vcpu.Tell(VcpuProtocol.Continue.Instance);
        ExpectFault(First);

        _vcpu.Tell(VcpuProtocol.Pause.Instance);
        _vm.ExpectMsg<VmProtocol.VcpuPaused>();
        _vcpu.Tell(VcpuProtocol.Continue.Instance);
        ExpectFault(First);
    }

    protected override void AfterAll()
    {
        Watch(_vcpu);
        Sys.Stop(_vcpu);
        ExpectTerminated(_vcpu);
        base.AfterAll();
        _core.Dispose();
        _slot.Dispose();
        _host.Dispose();
        _guest.Dispose();
    }

    private void ExpectFault(Gfn gfn) =>
        Assert.Equal(gfn, _memslot.ExpectMsg<MemslotProtocol.MemoryFaults>().Faults.Span[0].Access.Gfn);

    private VcpuReport Report()
    {
        _vcpu.Tell(VcpuProtocol.GetReport.Instance, TestActor);
        return ExpectMsg<VcpuReport>();
    }
}
