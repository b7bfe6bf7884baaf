using System.Buffers;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// The source's side of a post-copy migration whose guest is a file: decides what to send next. Pure: messages and the
/// time go in, bytes for the channels come out. One owner.
/// <code>
/// source                                    destination
/// header, configuration, commands, list     gives its RAM back, checks the blocks
/// package: LISTEN, devices, PING 3, RUN     requests pages from LISTEN on; PONG 3: devices are loaded
/// pages                                     requests pages
/// end of RAM, EOF                           SHUT
/// </code>
/// </summary>
internal sealed class PostcopyCore
{
    /// <summary>The ping behind the devices' state: its answer says that they are loaded and that vCPUs run.</summary>
    public const uint LoadedPing = 3;

    private const uint OpenPing = 1;
    private const uint ListenPing = 2;
    private const uint EndPing = 4;
    private const ulong TargetPage = Page.Size;
    private const int MaxStrangePages = 1 << 19;
    private const ulong MaxZeroPages = 256;

    private readonly SavedStream _stream;
    private readonly GuestRam _ram;
    private readonly RequestQueue _requests;
    private readonly IPageContents _contents;
    private readonly PostcopySettings _settings;
    private readonly PageFetches _fetches;
    private readonly PushCursor _push;
    private readonly HashSet<string> _strangers = new(StringComparer.Ordinal);
    private readonly HashSet<(string Block, ulong Offset)> _strangeSent = [];
    private readonly Queue<(string Block, ulong Offset, long AtNs)> _strangePages = new();
    private int _bitmapsAwaited;
    private bool _areZerosSent;
    private bool _isEndPingOut;
    private bool _wereAnswersRead;
    private bool _mayEnd;
    private long _paceNs;
    private long _pushFromNs;

    /// <summary>A restore that has not begun.</summary>
    public PostcopyCore(SavedStream stream, IPageContents contents, PostcopySettings settings)
    {
        (_stream, _contents, _settings) = (stream, contents, settings);
        _ram = new GuestRam(stream.Blocks, settings.HugePages);
        _requests = new RequestQueue(_ram);
        _fetches = new PageFetches(_ram, contents);
        _push = new PushCursor(_ram, contents, settings);
    }

    /// <summary>Has the destination read all that was sent over the second channel?</summary>
    public Func<bool> AreAnswersRead { get; set; } = static () => true;

    /// <summary>How far it is.</summary>
    public PostcopyPhase Phase { get; private set; }

    /// <summary>Pages sent because they were requested.</summary>
    public ulong Demanded { get; private set; }

    /// <summary>Pages sent unasked.</summary>
    public ulong Pushed { get; private set; }

    /// <summary>Pages with content that the destination does not have yet.</summary>
    public ulong Left { get; private set; }

    /// <summary>Pages, or huge pages, that wait for an answer.</summary>
    public int Waiting => _requests.Count + _fetches.Demanded + _strangePages.Count;

    /// <summary>Pages that were requested and not sent before.</summary>
    public ulong Requested => _requests.Requested;

    /// <summary>Bytes of the largest bitmap that a recovery may bring.</summary>
    public ulong MaxBitmapBytes => _stream.Blocks.Count == 0 ? 0 : (_stream.Blocks.Max(static b => b.Pages) / 8) + 16;

    /// <summary>Notes the pages that are requested; null for none.</summary>
    public WorkingSetRecorder? Recorder { get; init; }

    /// <summary>Blocks that the destination has and the file has not: devices that are only there.</summary>
    public IReadOnlyCollection<string> Strangers => _strangers;

    /// <summary>The beginning: everything up to and including the package.</summary>
    /// <param name="main">The main channel.</param>
    /// <param name="devices">The devices' state out of the file.</param>
    /// <param name="nowNs">The time.</param>
    public void Begin(IBufferWriter<byte> main, ReadOnlySpan<byte> devices, long nowNs)
    {
        var writer = new StreamWriter(main);
        writer.Header();
        writer.Bytes(_stream.Configuration.Span);
        writer.Command(CommandKind.OpenReturnPath);
        writer.Ping(OpenPing);
        writer.Advise(_settings.HugePages.Values.Aggregate(TargetPage, static (all, one) => all | one), TargetPage);
        writer.StartOfRam(_stream.RamSection, _stream.RamVersion, _stream.Blocks, _settings.HugePages);
        // Without a discard QEMU stays in its state "discard" and loads pages as in pre-copy, into memory that faults.
        foreach (var block in _stream.Blocks)
            writer.Discard(block.Name, block.Bytes);
        var package = new ArrayBufferWriter<byte>(devices.Length + 64);
        var inside = new StreamWriter(package);
        inside.Command(CommandKind.PostcopyListen);
        inside.Ping(ListenPing);
        inside.Bytes(devices);
        inside.Ping(LoadedPing);
        inside.Command(CommandKind.PostcopyRun);
        writer.Package(package.WrittenSpan);
        Left = _contents.ContentPages;
        _pushFromNs = nowNs + _settings.PushAfterNs;
        Phase = PostcopyPhase.Loading;
    }

    /// <summary>After a broken connection: asks the destination what it has.</summary>
    public void BeginRecovery(IBufferWriter<byte> main)
    {
        var writer = new StreamWriter(main);
        foreach (var block in _stream.Blocks)
            writer.AskBitmap(block.Name);
        _bitmapsAwaited = _stream.Blocks.Count;
        (_areZerosSent, _isEndPingOut, _mayEnd) = (false, false, false);
        _requests.Clear();
        _fetches.ForgetRequests();
        _strangePages.Clear();
        _strangeSent.Clear();
        Phase = PostcopyPhase.Recovering;
    }

    /// <summary>A message of the destination's.</summary>
    /// <param name="message">The message.</param>
    /// <param name="main">The main channel.</param>
    /// <param name="nowNs">The time.</param>
    /// <exception cref="ReturnPathException">The destination breaks the protocol.</exception>
    public void OnMessage(in ReturnMessage message, IBufferWriter<byte> main, long nowNs)
    {
        switch (message.Kind)
        {
            case ReturnKind.RequestPages or ReturnKind.RequestPagesOfBlock:
                OnRequest(message, nowNs);
                break;
            case ReturnKind.Pong when message.Value == LoadedPing && Phase == PostcopyPhase.Loading:
                Phase = PostcopyPhase.Running;
                break;
            case ReturnKind.Pong when message.Value == EndPing && _isEndPingOut:
                (_isEndPingOut, _mayEnd) = (false, _wereAnswersRead);
                break;
            case ReturnKind.ReceivedBitmap when Phase == PostcopyPhase.Recovering && _bitmapsAwaited > 0:
                _ram.OnReceived(message.Block!, message.Bitmap.Span);
                if (--_bitmapsAwaited == 0)
                    new StreamWriter(main).Command(CommandKind.PostcopyResume);
                break;
            case ReturnKind.ResumeAck when Phase == PostcopyPhase.Recovering && _bitmapsAwaited == 0:
                Left = CountLeft();
                _push.Restart();
                Phase = PostcopyPhase.Running;
                break;
            case ReturnKind.Shut:
                Phase = message.Value == 0 ? PostcopyPhase.Completed : PostcopyPhase.Refused;
                break;
            case ReturnKind.ReceivedBitmap or ReturnKind.ResumeAck:
                throw new ReturnPathException($"{message.Kind} that was not asked for");
        }
    }

    /// <summary>The content of a page has arrived, from <see cref="IPageContents.TryTakeArrived"/>.</summary>
    public void OnArrived(MemoryPage page) => _fetches.OnArrived(page);

    /// <summary>
    /// Appends what is to be sent next: the answer of a request, or one section of push, or the end. To be called while
    /// a channel has little in it.
    /// </summary>
    /// <param name="main">The main channel; null while it is full.</param>
    /// <param name="answers">The second channel, for answers; null where there is none, or while it is full.</param>
    /// <param name="nowNs">The time.</param>
    public Written TryWrite(IBufferWriter<byte>? main, IBufferWriter<byte>? answers, long nowNs)
    {
        if (Phase is not (PostcopyPhase.Loading or PostcopyPhase.Running))
            return default;
        var forAnswers = _settings.HasPreemptChannel ? answers : main;
        if (forAnswers is not null && TryAnswer(forAnswers, out var requestedNs))
            return new Written(WrittenKind.Answer, requestedNs);
        if (main is null)
            return default;
        if (Left > 0)
            return new Written(nowNs >= NextPushNs ? Push(main, nowNs) : WrittenKind.Nothing);
        if (Phase == PostcopyPhase.Loading || Waiting > 0)
            return default;
        return new Written(_settings.HasPreemptChannel ? EndBoth(main, answers) : End(main));
    }

    /// <summary>When push may go on; <see cref="long.MaxValue"/> for never.</summary>
    public long NextPushNs =>
        Left == 0 ? long.MaxValue
        : _push.IsReplaying ? _paceNs
        : _settings.Pushes ? Math.Max(_paceNs, _pushFromNs)
        : long.MaxValue;

    private void OnRequest(in ReturnMessage message, long nowNs)
    {
        if (_ram.TryFind(message.Block!, message.Offset, message.Bytes, out var pages))
        {
            _requests.Add(pages, nowNs);
            for (ulong i = 0; Recorder is not null && i < pages.Count; i++)
                Recorder.Touch(pages.Start.Plus(i));
            return;
        }
        // A device that is only at the destination: its memory was never anywhere, and reads as zeros.
        if (
            message.Bytes == 0
            || message.Bytes / TargetPage + (ulong)_strangeSent.Count > MaxStrangePages
            || ((message.Offset | message.Bytes) & (TargetPage - 1)) != 0
        )
        {
            throw new ReturnPathException(
                $"a request for {message.Bytes} bytes at 0x{message.Offset:x} of {message.Block}, not in the file"
            );
        }

        _ = _strangers.Add(message.Block!);
        for (var at = message.Offset; at < message.Offset + message.Bytes; at += TargetPage)
        {
            if (_strangeSent.Add((message.Block!, at)))
                _strangePages.Enqueue((message.Block!, at, nowNs));
        }
    }

    private bool TryAnswer(IBufferWriter<byte> channel, out long requestedNs)
    {
        var writer = new StreamWriter(channel);
        if (_strangePages.TryDequeue(out var strange))
        {
            requestedNs = strange.AtNs;
            Section(writer, strange, static (to, page) => to.Page(page.Offset, page.Block, isZero: true));
            return true;
        }

        if (!TryNextAnswer(out var unit, out requestedNs))
            return false;
        Section(writer, unit, WritePages);
        Demanded += unit.Count;
        return true;
    }

    private bool TryNextAnswer(out MemoryPageRange unit, out long requestedNs)
    {
        if (_fetches.TryTakeDemanded(out unit, out requestedNs))
            return true;
        while (_requests.TryTake(out unit, out requestedNs))
        {
            if (_fetches.IsHere(unit, requestedNs))
                return true;
        }

        return false;
    }

    // On the second channel go bare records; on the main one a section around them.
    private void Section<T>(StreamWriter writer, T what, Action<StreamWriter, T> write)
    {
        if (!_settings.HasPreemptChannel)
            writer.PartOfRam(_stream.RamSection);
        write(writer, what);
        if (!_settings.HasPreemptChannel)
            writer.EndOfSection(_stream.RamSection);
    }

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

    private ulong CountLeft()
    {
        ulong left = 0;
        for (ulong page = 0; page < _ram.Pages; page++)
        {
            if (!_ram.IsSent(new MemoryPage(page)) && !_contents.IsZero(new MemoryPage(page)))
                left++;
        }
        return left;
    }
}
