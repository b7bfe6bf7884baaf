using Akka.Actor;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

// Accesses that bypass the bitmap (userfaultfd and its readers), and queries about the slot.
internal sealed partial class MemslotActor
{
    private readonly UffdQueues _uffd;
    private readonly List<IActorRef> _accessors = [];
    private readonly List<IActorRef> _readers = [];
    private readonly List<MemoryPage> _exists = [];

    private bool OnHostSide(object message)
    {
        switch (message)
        {
            case MemslotProtocol.HostAccess access:
                _pager.OnHostAccess(AccessorNumber(Sender), access.Page, access.IsWrite, _effects);
                Perform();
                return true;
            case MemslotProtocol.UffdRead read:
                _uffd.Read(read.Descriptor, ReaderNumber(Sender));
                Deliver(read.Descriptor);
                return true;
            case MemslotProtocol.UffdCopy copy:
                OnUffdCopy(copy.Batch);
                return true;
            case MemslotProtocol.UffdContinue minor:
                Resolve(minor.Pages);
                return true;
            case MemslotProtocol.UffdWake wake:
                foreach (var memoryPage in wake.Pages)
                    _pager.OnUffdWake(memoryPage, _effects);
                Perform();
                return true;
            case MemslotProtocol.GetBitmap range:
                TellBitmap(range);
                return true;
            case MemslotProtocol.GetReport:
                Sender.Tell(new SlotReport(_pager.Core.Slot.Id, _pager.Missing, _pager.Waiting, _pager.Counters()));
                return true;
            default:
                return false;
        }
    }

    private void OnUffdCopy(PageBatch batch)
    {
        _exists.Clear();
        var pages = new MemoryPage[batch.Count];
        for (var i = 0; i < pages.Length; i++)
        {
            ref readonly var page = ref batch[i];
            pages[i] = page.Page;
            if (_pager.OnUffdCopy(page, _effects) == Errno.EEXIST)
                _exists.Add(page.Page);
        }

        batch.Release();
        Sender.Tell(new UffdReaderProtocol.Resolved(pages, [.. _exists]));
        Perform();
        TellPlaced();
    }

    private void Resolve(IReadOnlyList<MemoryPage> pages)
    {
        _exists.Clear();
        foreach (var memoryPage in pages)
        {
            if (_pager.OnUffdContinue(memoryPage, _effects) == Errno.EEXIST)
                _exists.Add(memoryPage);
        }

        Sender.Tell(new UffdReaderProtocol.Resolved(pages, [.. _exists]));
        Perform();
    }

    private void Deliver(int descriptor)
    {
        while (_uffd.TryDeliver(descriptor, out var reader, out var events))
            _readers[reader].Tell(new UffdReaderProtocol.Events(events));
    }

    private int AccessorNumber(IActorRef accessor)
    {
        // An accessor sleeps on one page at a time, as a thread does, so one number per actor reference suffices.
        var index = _accessors.IndexOf(accessor);
        if (index >= 0)
            return _wiring.Vcpus.Count + index;
        _accessors.Add(accessor);
        return _wiring.Vcpus.Count + _accessors.Count - 1;
    }

    private int ReaderNumber(IActorRef reader)
    {
        var index = _readers.IndexOf(reader);
        if (index >= 0)
            return index;
        _readers.Add(reader);
        return _readers.Count - 1;
    }

    private void TellBitmap(MemslotProtocol.GetBitmap range) =>
        Sender.Tell(
            new BitmapRange(
                _wiring.VmName,
                _pager.Core.Slot.Id,
                _clears?.Sequence ?? 0,
                range.FirstWord,
                _pager.BitmapWords(range.FirstWord, range.Words)
            )
        );
}
