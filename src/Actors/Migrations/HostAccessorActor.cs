using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// A device model, or KVM's own clock and steal-time pages: accesses guest memory without checking the userfault
/// bitmap, one page after another, and sleeps in userfaultfd on missing pages. Checks the content that it reads.
/// </summary>
internal sealed class HostAccessorActor : UntypedActor
{
    private readonly IActorRef _vm;
    private readonly IActorRef _migration;
    private readonly GuestContent _content;
    private readonly GuestVerifier _verifier;
    private readonly IReadOnlyList<MemoryPageRange> _slots;
    private readonly long _accesses;
    private readonly Random _random;
    private long _made;
    private long _wrong;

    public HostAccessorActor(
        IActorRef vm,
        IActorRef migration,
        GuestContent content,
        IReadOnlyList<MemoryPageRange> slots,
        long accesses,
        ulong seed
    )
    {
        (_vm, _migration, _content, _slots, _accesses) = (vm, migration, content, slots, accesses);
        _verifier = content.NewVerifier();
        _random = new Random(unchecked((int)seed));
    }

    protected override void PreStart() => Next();

    protected override void PostStop() => _verifier.Dispose();

    protected override void OnReceive(object message)
    {
        if (message is not MemslotProtocol.HostAccessDone done)
        {
            Unhandled(message);
            return;
        }

        _made++;
        if (!_verifier.CouldRead(done.Page, 0, _content.Memory.Read(done.Page, 0), ulong.MaxValue))
            _wrong++;
        Next();
    }

    private void Next()
    {
        if (_made == _accesses)
        {
            _migration.Tell(new MigrationProtocol.HostAccessesDone(_made, _wrong));
            return;
        }

        var slot = _slots[_random.Next(_slots.Count)];
        var page = slot.Start.Plus((ulong)_random.NextInt64((long)slot.Count));
        _vm.Tell(new MemslotProtocol.HostAccess(page, IsWrite: false));
    }
}
