using System.Buffers;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>What is sent unasked: pages, and the end.</summary>
internal sealed partial class PostcopyCore
{
    private const uint EndPing = 4;
    private const ulong MaxZeroPages = 256;

    private WrittenKind Push(IBufferWriter<byte> main, long nowNs)
    {
        var writer = new StreamWriter(main);
        var pages = 0;
        var isSearching = false;
        while (pages < _settings.SectionPages && TryNextPush(out var unit, out isSearching))
        {
            if (pages == 0)
                writer.PartOfRam(_stream.RamSection);
            WritePages(writer, unit);
            pages += (int)unit.Count;
        }

        if (pages == 0)
            return isSearching ? WrittenKind.Searching : WrittenKind.Nothing;
        writer.EndOfSection(_stream.RamSection);
        Pushed += (ulong)pages;
        if (_settings.PushBytesPerSecond > 0)
        {
            var costNs = pages * (long)TargetPage * 1_000_000_000 / _settings.PushBytesPerSecond;
            _paceNs = Math.Max(_paceNs, nowNs - costNs) + costNs;
        }

        return WrittenKind.Push;
    }

    // What has arrived, or is here; what is not is fetched ahead.
    private bool TryNextPush(out MemoryPageRange unit, out bool isSearching)
    {
        isSearching = false;
        if (_fetches.TryTakePushed(out unit))
            return true;
        while (_fetches.PushPages < (ulong)_settings.MaxFetchedAhead && _push.TryNext(out unit, out isSearching))
        {
            if (_fetches.IsHereForPush(unit))
                return true;
        }

        return false;
    }

    private void WritePages(StreamWriter writer, MemoryPageRange unit)
    {
        var block = _ram.Blocks[_ram.BlockOf(unit.Start)];
        for (ulong i = 0; i < unit.Count; i++)
        {
            var page = unit.Start.Plus(i);
            if (!_ram.TrySend(page))
                throw new InvalidOperationException($"{page} would be sent twice");
            var isZero = _contents.IsZero(page);
            if (!isZero)
                Left--;
            var content = isZero ? default : _contents.Read(page);
            // The first record of each section names its block: what "the block before" is needs no memory then.
            writer.Page((page.Value - block.FirstPage.Value) * TargetPage, i == 0 ? block.Name : null, content.IsEmpty);
            writer.Bytes(content);
        }
    }

    private WrittenKind End(IBufferWriter<byte> main)
    {
        new StreamWriter(main).End(_stream.RamSection);
        Phase = PostcopyPhase.Ending;
        return WrittenKind.End;
    }

    // What QEMU does at the end of two channels has changed from version to version:
    // - 7.2 waits for EOS on the second channel.
    // - 8.0 closes the second channel when it has read the end of the main one, and loses what it has not read there.
    //   So the end goes out when the second channel was read and a ping that was sent afterwards has come back.
    // - 10.0 waits until no page is requested any more, but takes none after EOS. A request may cross EOS if there is
    //   any page that was not sent: so zero pages are sent, too.
    private WrittenKind EndBoth(IBufferWriter<byte> main, IBufferWriter<byte>? answers)
    {
        if (!_areZerosSent)
            return PushZeros(main);
        if (!_mayEnd)
        {
            if (_isEndPingOut)
                return WrittenKind.Nothing;
            (_isEndPingOut, _wereAnswersRead) = (true, AreAnswersRead());
            new StreamWriter(main).Ping(EndPing);
            return WrittenKind.Ping;
        }

        if (answers is null)
            return WrittenKind.Nothing;
        new StreamWriter(answers).EndOfRecords();
        return End(main);
    }

    private WrittenKind PushZeros(IBufferWriter<byte> main)
    {
        var writer = new StreamWriter(main);
        var pages = 0UL;
        var isSearching = false;
        while (pages < MaxZeroPages && _push.TryNextUnsent(out var unit, out isSearching))
        {
            if (pages == 0)
                writer.PartOfRam(_stream.RamSection);
            WritePages(writer, unit);
            pages += unit.Count;
        }

        if (pages > 0)
            writer.EndOfSection(_stream.RamSection);
        _areZerosSent = pages == 0 && !isSearching;
        return WrittenKind.Searching;
    }
}
