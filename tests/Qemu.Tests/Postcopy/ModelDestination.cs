using System.Buffers.Binary;
using System.Text;

namespace Userfault.Qemu.Tests;

/// <summary>
/// QEMU's incoming side, as far as a source can tell: reads what it is sent, refuses what QEMU refuses, and answers on
/// the return path. Memory that has not arrived is missing.
/// </summary>
internal sealed class ModelDestination(params (string Name, ulong Pages)[] blocks)
{
    private readonly Dictionary<string, byte[]?[]> _memory = blocks.ToDictionary(
        static b => b.Name,
        static b => new byte[]?[b.Pages]
    );

    private readonly List<byte> _input = [];
    private readonly List<byte> _answersInput = [];
    private readonly List<byte> _replies = [];
    private int _at;
    private int _answersAt;
    private string? _block;
    private string? _answersBlock;
    private bool _haveAnswersEnded;
    private bool _isBegun;

    /// <summary>Everything that happened, in order.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Does the guest run?</summary>
    public bool Runs { get; private set; }

    /// <summary>Has it said that all went well?</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Is there a second channel?</summary>
    public bool HasPreempt { get; init; }

    /// <summary>Bytes of a page, for blocks on huge pages.</summary>
    public Dictionary<string, ulong> HugePages { get; } = [];

    /// <summary>What it has to say; taken.</summary>
    public byte[] TakeReplies()
    {
        byte[] bytes = [.. _replies];
        _replies.Clear();
        return bytes;
    }

    /// <summary>The content of a page: null while it is missing.</summary>
    public byte[]? Page(string block, ulong page) => _memory[block][page];

    /// <summary>A vCPU touches a page: asks for it where it is missing.</summary>
    public void Touch(string block, ulong page, bool namesBlock = true, uint bytes = 4096)
    {
        if (_memory.TryGetValue(block, out var pages) && pages[page] is not null)
            return;
        var name = Encoding.UTF8.GetBytes(block);
        Reply(
            namesBlock ? ReturnKind.RequestPagesOfBlock : ReturnKind.RequestPages,
            12 + (namesBlock ? 1 + name.Length : 0)
        );
        UInt64(page * 4096);
        UInt32(bytes);
        if (!namesBlock)
            return;
        _replies.Add((byte)name.Length);
        _replies.AddRange(name);
    }

    /// <summary>The connection breaks: what was not read is lost.</summary>
    public void Break()
    {
        _input.Clear();
        _answersInput.Clear();
        (_at, _answersAt, _block, _answersBlock) = (0, 0, null, null);
        _replies.Clear();
        Events.Add("broken");
    }

    /// <summary>Bytes on the second channel: bare records.</summary>
    public void ReadAnswers(ReadOnlySpan<byte> bytes)
    {
        _answersInput.AddRange(bytes);
        while (_answersAt < _answersInput.Count)
        {
            Assert.False(_haveAnswersEnded);
            _haveAnswersEnded = !Record(_answersInput, ref _answersAt, ref _answersBlock);
        }
    }

    /// <summary>Bytes on the main channel.</summary>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        _input.AddRange(bytes);
        while (_at < _input.Count)
        {
            if (!_isBegun)
            {
                Header();
                continue;
            }

            Element(_input, ref _at, isPackage: false);
        }
    }

    private void Header()
    {
        Assert.Equal((0x5145564dU, 3U), (U32(_input, ref _at), U32(_input, ref _at)));
        Assert.Equal(7, _input[_at++]);
        var machine = (int)U32(_input, ref _at);
        _at += machine;
        _isBegun = true;
    }

    private void Element(List<byte> from, ref int at, bool isPackage)
    {
        var type = from[at++];
        switch (type)
        {
            case 0:
                Assert.False(isPackage);
                // QEMU 7.2 would wait for the end of the second channel.
                Assert.Equal(HasPreempt, _haveAnswersEnded);
                Events.Add("eof");
                IsComplete = true;
                Reply(ReturnKind.Shut, 4);
                UInt32(0);
                break;
            case 1:
                at += 4;
                Assert.Equal("ram", Name(from, ref at));
                at += 8;
                List(from, ref at);
                break;
            case 2 or 3:
                var id = U32(from, ref at);
                while (Record(from, ref at, ref _block)) { }
                Assert.Equal((0x7e, id), (from[at++], U32(from, ref at)));
                break;
            case 4:
                // The package's devices: up to the next command, which the builder's devices do not contain.
                while (from[at] != 8 || from[at + 1] != 0)
                    at++;
                Events.Add("devices");
                break;
            case 8:
                Command(from, ref at, isPackage);
                break;
            default:
                Assert.Fail($"element {type:x2} at {at - 1}");
                break;
        }
    }

    private void List(List<byte> from, ref int at)
    {
        var sum = U64(from, ref at);
        Assert.Equal(4UL, sum & 4095);
        for (ulong done = 0; done < (sum & ~4095UL); )
        {
            var name = Name(from, ref at);
            var size = U64(from, ref at);
            Assert.Equal((ulong)_memory[name].Length * 4096, size);
            if (HugePages.TryGetValue(name, out var page))
                Assert.Equal(page, U64(from, ref at));
            done += size;
        }

        Assert.Equal(0x10UL, U64(from, ref at));
        at += 5;
        Events.Add("list");
    }

    private void Command(List<byte> from, ref int at, bool isPackage)
    {
        var kind = (CommandKind)U16(from, ref at);
        var length = U16(from, ref at);
        var payload = from.GetRange(at, length);
        at += length;
        var zero = 0;
        switch (kind)
        {
            case CommandKind.Ping:
                Reply(ReturnKind.Pong, 4);
                UInt32(U32(payload, ref zero));
                break;
            case CommandKind.Packaged:
                var end = at + (int)U32(payload, ref zero);
                while (at < end)
                    Element(from, ref at, isPackage: true);
                Assert.Equal(end, at);
                break;
            case CommandKind.PostcopyAdvise:
                Events.Add($"advise {U64(payload, ref zero):x} {U64(payload, ref zero):x}");
                break;
            case CommandKind.PostcopyRamDiscard:
                zero = 1;
                Events.Add($"discard {Name(payload, ref zero)}");
                break;
            case CommandKind.PostcopyListen:
                Assert.Contains(Events, static e => e.StartsWith("discard", StringComparison.Ordinal));
                Events.Add("listen");
                break;
            case CommandKind.PostcopyRun:
                Assert.True(isPackage);
                Events.Add("run");
                Runs = true;
                break;
            case CommandKind.RecvBitmap:
                Bitmap(Name(payload, ref zero));
                break;
            case CommandKind.PostcopyResume:
                Events.Add("resume");
                Reply(ReturnKind.ResumeAck, 4);
                UInt32(1);
                break;
            case CommandKind.OpenReturnPath:
                break;
            default:
                Assert.Fail($"command {kind}");
                break;
        }
    }

    // False for the end of the records.
    private bool Record(List<byte> from, ref int at, ref string? block)
    {
        var word = U64(from, ref at);
        if (word == 0x10)
            return false;
        if ((word & 0x20) == 0)
            block = Name(from, ref at);
        var page = word / 4096;
        byte[] content;
        if ((word & 8) != 0)
        {
            content = [.. from.GetRange(at, 4096)];
            at += 4096;
        }
        else
        {
            Assert.Equal(2UL, word & 0x1e);
            Assert.Equal(0, from[at++]);
            content = new byte[4096];
        }

        var pages = _memory[Assert.IsType<string>(block)];
        // EEXIST: the migration would pause.
        Assert.True(pages[page] is null, $"page {page} of {block} is sent twice");
        pages[page] = content;
        return true;
    }

    private void Bitmap(string block)
    {
        var pages = _memory[block];
        var bits = new byte[(((pages.Length + 7) / 8) + 7) / 8 * 8];
        for (var i = 0; i < pages.Length; i++)
        {
            if (pages[i] is not null)
                bits[i / 8] |= (byte)(1 << (i % 8));
        }

        var name = Encoding.UTF8.GetBytes(block);
        Reply(ReturnKind.ReceivedBitmap, 1 + name.Length);
        _replies.Add((byte)name.Length);
        _replies.AddRange(name);
        UInt64((ulong)bits.Length);
        _replies.AddRange(bits);
        UInt64(0x0123456789abcdef);
    }

    private void Reply(ReturnKind kind, int length) => UInt32(((uint)kind << 16) | (uint)length);

    private void UInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _replies.AddRange(bytes);
    }

    private void UInt64(ulong value)
    {
        UInt32((uint)(value >> 32));
        UInt32((uint)value);
    }

    private static string Name(List<byte> from, ref int at)
    {
        var length = from[at++];
        var name = Encoding.UTF8.GetString([.. from.GetRange(at, length)]);
        at += length;
        return name;
    }

    private static ushort U16(List<byte> from, ref int at) => (ushort)((from[at++] << 8) | from[at++]);

    private static uint U32(List<byte> from, ref int at) => ((uint)U16(from, ref at) << 16) | U16(from, ref at);

    private static ulong U64(List<byte> from, ref int at) => ((ulong)U32(from, ref at) << 32) | U32(from, ref at);
}
