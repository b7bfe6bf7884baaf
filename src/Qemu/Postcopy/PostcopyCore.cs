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
internal sealed class PostcopyCore : IDisposable
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
    private readonly ulong _contentPages;
    private readonly HashSet<string> _strangers = new(StringComparer.Ordinal);
    private readonly Queue<(string Block, ulong Offset, ulong Bytes)> _strangePages = new();
    private ulong _pushAt;
    private int _bitmapsAwaited;
    private long _pushAllowedNs;

    /// <summary>A restore that has not begun.</summary>
    public PostcopyCore(SavedStream stream, IPageContents contents, PostcopySettings settings)
    {
        (_stream, _contents, _settings) = (stream, contents, settings);
        _ram = new GuestRam(stream.Blocks, settings.HugePages);
        _requests = new RequestQueue(_ram);
        _contentPages = contents.ContentPages;
    }

    /// <summary>How far it is.</summary>
    public PostcopyPhase Phase { get; private set; }

    /// <summary>Pages sent because they were requested.</summary>
    public ulong Demanded { get; private set; }

    /// <summary>Pages sent unasked.</summary>
    public ulong Pushed { get; private set; }

    /// <summary>Pages with content that the destination does not have yet.</summary>
    public ulong Left { get; private set; }

    /// <summary>Pages that wait for an answer.</summary>
    public int Waiting => _requests.Count + _strangePages.Count;

    /// <summary>Waits of requests, from read to handed to the channel.</summary>
    public LatencyHistogram Waits { get; } = new();

    /// <summary>Blocks that the destination has and the file has not: devices that are only there.</summary>
    public IReadOnlyCollection<string> Strangers => _strangers;

    /// <summary>The beginning: everything up to and including the package.</summary>
    /// <param name="main">The main channel.</param>
    /// <param name="devices">The devices' state out of the file.</param>
    public void Begin(IBufferWriter<byte> main, ReadOnlySpan<byte> devices)
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
        Left = _contentPages;
        Phase = PostcopyPhase.Loading;
    }

    /// <summary>After a broken connection: asks the destination what it has.</summary>
    public void BeginRecovery(IBufferWriter<byte> main)
    {
        var writer = new StreamWriter(main);
        foreach (var block in _stream.Blocks)
            writer.AskBitmap(block.Name);
        _bitmapsAwaited = _stream.Blocks.Count;
        _requests.Clear();
        _strangePages.Clear();
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
            case ReturnKind.ReceivedBitmap when Phase == PostcopyPhase.Recovering && _bitmapsAwaited > 0:
                _ram.OnReceived(message.Block!, message.Bitmap.Span);
                if (--_bitmapsAwaited == 0)
                    new StreamWriter(main).Command(CommandKind.PostcopyResume);
                break;
            case ReturnKind.ResumeAck when Phase == PostcopyPhase.Recovering && _bitmapsAwaited == 0:
                Left = CountLeft();
                _pushAt = 0;
                Phase = PostcopyPhase.Running;
                break;
            case ReturnKind.Shut:
                Phase = message.Value == 0 ? PostcopyPhase.Completed : PostcopyPhase.Refused;
                break;
            case ReturnKind.ReceivedBitmap or ReturnKind.ResumeAck:
                throw new ReturnPathException($"{message.Kind} that was not asked for");
        }
    }

    /// <summary>
    /// Appends what is to be sent next: the answer of a request, or one section of push, or the end. To be called while
    /// a channel has little in it.
    /// </summary>
    /// <param name="main">The main channel; null while it is full.</param>
    /// <param name="answers">The second channel, for answers; null where there is none, or while it is full.</param>
    /// <param name="nowNs">The time.</param>
    /// <returns>False where there is nothing to send now.</returns>
    public bool TryWrite(IBufferWriter<byte>? main, IBufferWriter<byte>? answers, long nowNs)
    {
        if (Phase is not (PostcopyPhase.Loading or PostcopyPhase.Running))
            return false;
        var forAnswers = _settings.HasPreemptChannel ? answers : main;
        if (forAnswers is not null && TryAnswer(forAnswers, nowNs))
            return true;
        if (main is null)
            return false;
        if (Left > 0)
            return _settings.Pushes && nowNs >= _pushAllowedNs && TryPush(main, nowNs);
        return Phase == PostcopyPhase.Running && Waiting == 0 && TryEnd(main, answers);
    }

    /// <summary>When push may go on, if its rate holds it back.</summary>
    public long PushAllowedNs => _pushAllowedNs;

    /// <inheritdoc/>
    public void Dispose() { }

    private void OnRequest(in ReturnMessage message, long nowNs)
    {
        if (_ram.TryFind(message.Block!, message.Offset, message.Bytes, out var pages))
        {
            _requests.Add(pages, nowNs);
            return;
        }
        // A device that is only at the destination: its memory was never anywhere, and reads as zeros.
        _ = _strangers.Add(message.Block!);
        for (ulong at = 0; at < message.Bytes; at += TargetPage)
            _strangePages.Enqueue((message.Block!, message.Offset + at, TargetPage));
    }

    private bool TryAnswer(IBufferWriter<byte> channel, long nowNs)
    {
        var writer = new StreamWriter(channel);
        if (_strangePages.TryDequeue(out var strange))
        {
            Section(writer, strange, static (to, page) => to.Page(page.Offset, page.Block, isZero: true));
            return true;
        }
        if (!_requests.TryTake(out var unit, out var atNs))
            return false;
        Section(writer, unit, WritePages);
        Demanded += unit.Count;
        Waits.Record(nowNs - atNs);
        return true;
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

    private bool TryPush(IBufferWriter<byte> main, long nowNs)
    {
        var writer = new StreamWriter(main);
        var pages = 0;
        while (pages < _settings.SectionPages && NextPush() is { } unit)
        {
            if (pages == 0)
                writer.PartOfRam(_stream.RamSection);
            WritePages(writer, unit);
            pages += (int)unit.Count;
        }
        if (pages == 0)
            return false;
        writer.EndOfSection(_stream.RamSection);
        Pushed += (ulong)pages;
        if (_settings.PushBytesPerSecond > 0)
        {
            var costNs = pages * (long)TargetPage * 1_000_000_000 / _settings.PushBytesPerSecond;
            _pushAllowedNs = Math.Max(_pushAllowedNs, nowNs - costNs) + costNs;
        }
        return true;
    }

    private MemoryPageRange? NextPush()
    {
        for (; _pushAt < _ram.Pages; _pushAt++)
        {
            var page = new MemoryPage(_pushAt);
            if (_ram.IsSent(page) || _contents.IsZero(page))
                continue;
            var unit = _ram.UnitOf(page);
            _pushAt = unit.End.Value;
            return unit;
        }
        return null;
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

    private bool TryEnd(IBufferWriter<byte> main, IBufferWriter<byte>? answers)
    {
        if (_settings.HasPreemptChannel)
        {
            if (answers is null)
                return false;
            new StreamWriter(answers).EndOfRecords();
        }
        new StreamWriter(main).End(_stream.RamSection);
        Phase = PostcopyPhase.Ending;
        return true;
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
