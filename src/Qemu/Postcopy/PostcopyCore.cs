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
internal sealed partial class PostcopyCore
{
    /// <summary>The ping behind the devices' state: its answer says that they are loaded and that vCPUs run.</summary>
    public const uint LoadedPing = 3;

    private const uint OpenPing = 1;
    private const uint ListenPing = 2;
    private const ulong TargetPage = Page.Size;

    private readonly SavedStream _stream;
    private readonly GuestRam _ram;
    private readonly RequestQueue _requests;
    private readonly IPageContents _contents;
    private readonly PostcopySettings _settings;
    private readonly PageFetches _fetches;
    private readonly PushCursor _push;
    private readonly ForeignPages _foreign = new();
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
    public int Waiting => _requests.Count + _fetches.Demanded + _foreign.Count;

    /// <summary>Pages that were requested and not sent before.</summary>
    public ulong Requested => _requests.Requested;

    /// <summary>Bytes of the largest bitmap that a recovery may bring.</summary>
    public ulong MaxBitmapBytes => _stream.Blocks.Count == 0 ? 0 : (_stream.Blocks.Max(static b => b.Pages) / 8) + 16;

    /// <summary>Notes the pages that are requested; null for none.</summary>
    public WorkingSetRecorder? Recorder { get; init; }

    /// <summary>Blocks that the destination has and the file has not: devices that are only there.</summary>
    public IReadOnlyCollection<string> ForeignBlocks => _foreign.Blocks;

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
        _foreign.Clear();
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

        _foreign.Add(message.Block!, message.Offset, message.Bytes, nowNs);
    }

    private bool TryAnswer(IBufferWriter<byte> channel, out long requestedNs)
    {
        var writer = new StreamWriter(channel);
        if (_foreign.TryTake(out var foreign))
        {
            requestedNs = foreign.AtNs;
            Section(writer, foreign, static (to, page) => to.Page(page.Offset, page.Block, isZero: true));
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
