using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors.Tests.Vcpus;

/// <summary>No fault is lost between a vCPU and its memslot, and none waits for another that may never come.</summary>
public sealed class FaultGateTests
{
    private readonly FaultGate _gate = new(16);
    private readonly SlotView _low = Slot(0);
    private readonly SlotView _high = Slot(1);

    [Fact]
    public void The_first_fault_asks_for_a_sending_and_the_next_ones_travel_with_it()
    {
        Assert.True(Add(_low, 1));
        Assert.False(Add(_low, 2));
        Assert.False(Add(_high, 3));

        Assert.Equal(["0: 1 2", "1: 3"], TakeAll());
        Assert.True(Add(_low, 4));
    }

    [Theory]
    [InlineData(15, 0)]
    [InlineData(16, 1)]
    [InlineData(40, 2)]
    public void Sixteen_faults_go_at_once(int faults, int sentAtOnce)
    {
        var sent = new List<int>();
        for (var vcpu = 0; vcpu < faults; vcpu++)
        {
            _gate.Add(_low, Fault(vcpu), out var full);
            if (full is not null)
                sent.AddRange(full.Faults.ToArray().Select(f => f.Vcpu));
        }

        Assert.Equal(sentAtOnce * 16, sent.Count);
        while (_gate.TryTake(out _, out var rest))
            sent.AddRange(rest.Faults.ToArray().Select(f => f.Vcpu));
        Assert.Equal(Enumerable.Range(0, faults), sent);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 2)]
    [InlineData(64, 16)]
    [InlineData(512, 16)]
    public void Few_vcpus_do_not_wait_for_each_other(int vcpus, int batch) =>
        Assert.Equal(batch, FaultGate.BatchFor(vcpus));

    [Fact]
    public void Slots_that_come_and_go_leave_nothing_behind()
    {
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(Add(Slot((ushort)i), i));
            Assert.Equal([$"{i}: {i}"], TakeAll());
        }
    }

    private bool Add(SlotView slot, int vcpu)
    {
        var isFirst = _gate.Add(slot, Fault(vcpu), out var full);
        Assert.Null(full);
        return isFirst;
    }

    private List<string> TakeAll()
    {
        var all = new List<string>();
        while (_gate.TryTake(out var slot, out var faults))
            all.Add($"{slot.Id.Id}: {string.Join(' ', faults.Faults.ToArray().Select(f => f.Vcpu))}");
        return all;
    }

    private static MemslotProtocol.MemoryFault Fault(int vcpu) => new(vcpu, new VcpuAccess(new Gfn(0), Access.Read));

    private static SlotView Slot(ushort id) =>
        new(SlotId.Of(0, id), new GfnRange(new Gfn(0), 1), null!, ActorRefs.Nobody);
}
