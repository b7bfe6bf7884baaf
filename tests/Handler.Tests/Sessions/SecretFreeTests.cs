using System.Text;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>The secret-free form's requests, message by message.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class SecretFreeTests
{
    private static HandlerRig Rig() => new(HandlerRig.PageByPage);

    [SkippableFact]
    public void A_request_puts_the_page_in_the_file_clears_its_bit_and_is_answered()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var vm = rig.ConnectSecretFree();
        // Split in the middle of a word, and two glued together; the second of a page that is in place then.
        vm.Socket.Send("""{"vcpu":3,"off"""u8);
        vm.Socket.Send("""set":12288,"flags":16,"token":null}{"vcpu":4,"offset":12288,"flags":24,"token":7}"""u8);
        Assert.Equal(
            """{"vcpu":3,"offset":12288,"len":4096,"flags":16,"token":null,"zero":false}"""
                + """{"vcpu":4,"offset":12288,"len":4096,"flags":24,"token":7,"zero":false}""",
            vm.Answers(2)
        );
        Assert.False(vm.Missing.IsSet(3));
        Assert.Equal(HandlerRig.Pages - 1, vm.Missing.Count());
        Assert.True(Holds(rig, vm, 3));

        // A monitor may set every bit anew: what is in place is only said again.
        NativeTouch.Write(vm.File, 12288, 42);
        vm.Missing.SetAll();
        vm.Socket.Send("""{"vcpu":0,"offset":12288,"flags":16,"token":null}"""u8);
        vm.Answers(1);
        Assert.False(vm.Missing.IsSet(3));
        Assert.Equal(42ul, NativeTouch.Read(vm.File, 12288));
    }

    [SkippableTheory]
    [InlineData("garbage", nameof(ProtocolError.Garbage))]
    [InlineData("[]", nameof(ProtocolError.WrongKind))]
    [InlineData("""{"vcpu":null,"offset":0,"flags":0,"token":null}""", nameof(ProtocolError.FieldMissing))]
    [InlineData("""{"vcpu":0,"offset":1048576,"flags":0,"token":null}""", "offset 1048576")]
    [InlineData("""{"vcpu":0,"offset":18446744073709547520,"flags":0,"token":null}""", "offset 18446744073709547520")]
    [InlineData("""{"vcpu":0,"offset":7,"flags":0,"token":null}""", "offset 7")]
    [InlineData("""{"\ud800":0,"vcpu":0,"offset":0}""", nameof(ProtocolError.NotJson))]
    [InlineData("""{"vcpu":0,"offset":0]""", nameof(ProtocolError.NotJson))]
    [InlineData("""{"vcpu":4294967296,"offset":0}""", nameof(ProtocolError.FieldMissing))]
    [InlineData("""{"vcpu":0,"offset":"0"}""", "NotWholeNumber: offset")]
    [InlineData("""{"vcpu":0,"offset":-4096}""", "NotWholeNumber: offset")]
    [InlineData("""{"vcpu":0,"offset":0,"token":{"a":[[[[0]]]]}}""", "NotWholeNumber: token")]
    public void A_bad_request_ends_that_vm_alone(string text, string error)
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var good = rig.Connect();
        using var bad = rig.ConnectSecretFree();
        bad.Socket.Send(Encoding.UTF8.GetBytes(text));
        Assert.Contains($" {error}", rig.Line(HandlerEvent.Failed), StringComparison.Ordinal);
        Assert.True(good.IsRight(77));
    }

    [SkippableFact]
    public void A_flood_of_requests_is_answered_to_the_last_and_holds_nobody_up()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var good = rig.Connect();
        using var vm = rig.ConnectSecretFree();
        const int requests = 5000;
        var bytes = new byte[FaultRequest.MaxBytes];
        // Answers are not read until all is sent: both directions fill up.
        var sender = new Thread(() =>
        {
            for (var i = 0; i < requests; i++)
            {
                var length = new FaultRequest(
                    (uint)i,
                    (ulong)i % HandlerRig.Pages << Page.Shift,
                    16,
                    (ulong)i
                ).WriteRequest(bytes);
                vm.Socket.Send(bytes.AsSpan(0, length));
            }
        });
        sender.Start();
        Assert.True(good.IsRight(5) && good.IsRight(250));
        var answers = vm.Answers(requests);
        sender.Join();
        Assert.Contains($"\"token\":{requests - 1},", answers, StringComparison.Ordinal);
        Assert.Equal(0ul, vm.Missing.Count());
        Assert.Equal(requests, rig.Server.Report().Single(r => r.SecretFree).Counters.Requests);
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.True(Holds(rig, vm, page));
    }

    [Fact]
    public void What_a_dead_process_had_read_is_found_again()
    {
        using var state = VmState.Create(1, default);
        var stream = state.OpenStream();
        "{\"vcpu\":1,\"offset\":0}{\"vcpu\":2,"u8.CopyTo(stream.Room);
        stream.Fill(30);
        Assert.True(stream.TryNext(out var first));
        var request = FaultRequest.Parse(first);
        state.OpenRequests().Add(request);

        // It dies here: the first is entered but not yet counted as taken, and half of the second was read.
        var again = state.OpenStream();
        Assert.True(again.TryNext(out var repeated));
        var ledger = state.OpenRequests();
        ledger.Add(FaultRequest.Parse(repeated));
        Assert.Equal(1, ledger.Used);
        Assert.False(again.TryNext(out _));
        "\"offset\":0}"u8.CopyTo(again.Room);
        again.Fill(11);
        Assert.True(again.TryNext(out var second));
        Assert.Equal(2u, FaultRequest.Parse(second).Vcpu);
        ledger.Remove(0);
        Assert.Equal(0, state.OpenRequests().Used);
    }

    private static bool Holds(HandlerRig rig, HandlerRig.SecretFreeVm vm, ulong page)
    {
        var buffer = stackalloc byte[3 * Page.Size];
        new Span<byte>(buffer, 3 * Page.Size).Clear();
        var expected = rig.Image.Read(new MemoryPage(page), buffer + Page.Size);
        Assert.Equal(
            Page.Size,
            Libc.ReadAt(vm.File.Number, buffer + (2 * Page.Size), Page.Size, (long)(page << Page.Shift))
        );
        return NativeTouch.Equal(buffer + (2 * Page.Size), expected == null ? buffer : expected, Page.Size);
    }
}
