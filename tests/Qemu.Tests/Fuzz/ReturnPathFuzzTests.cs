using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Whatever a destination says: a refusal, or an answer. No page goes out twice, and what waits is bounded by what was
/// asked for.
/// </summary>
public sealed class ReturnPathFuzzTests : IDisposable
{
    private const int Inputs = 300_000;
    private const ulong Pages = 64;

    // The pages of blocks that the file does not have are bounded in all (PostcopyCore).
    private const int MaxWaiting = (1 << 19) + (int)Pages;

    private readonly TemporaryFolder _folder = new();
    private readonly ArrayBufferWriter<byte> _out = new();
    private readonly ArrayBufferWriter<byte> _answers = new();
    private readonly byte[] _bytes = new byte[4096];
    private PostcopyCore? _core;
    private ReturnPathReader? _reader;
    private int _length;
    private int _inputsOfCore;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Destinations()
    {
        using var image = QemuImage.Open(_folder.Write("vm.mig", StreamBuilder.Small(Pages).Bytes));
        using var contents = new ImageContents(image, TimeProvider.System);
        var taken = Fuzzing.Run(
            "return-path",
            Inputs,
            seed =>
            {
                var random = new FuzzRandom(seed);
                try
                {
                    Run(ref random, image, contents);
                }
                catch
                {
                    _core = null;
                    throw;
                }
            },
            static e => e is ReturnPathException
        );
        Assert.InRange(taken, Inputs / 10, Inputs - (Inputs / 10));
    }

    private void Run(ref FuzzRandom random, QemuImage image, ImageContents contents)
    {
        if (_core is null || ++_inputsOfCore > 50 || random.Below(8) == 0)
            Begin(ref random, image, contents);
        var core = _core!;
        Compose(ref random);
        Spoil(ref random);
        for (var at = 0; at < _length; )
        {
            var piece = Math.Min(1 + random.Below(64), _length - at);
            _reader!.Append(_bytes.AsSpan(at, piece));
            at += piece;
            while (_reader.TryRead(out var message))
            {
                core.OnMessage(message, _out, 0);
                Assert.InRange(core.Waiting, 0, MaxWaiting);
            }
        }

        for (var turn = random.Below(4); turn > 0; turn--)
            _ = core.TryWrite(random.Below(4) == 0 ? null : _out, random.Below(4) == 0 ? null : _answers, 0);
        Assert.InRange(_out.WrittenCount + _answers.WrittenCount, 0, 1 << 20);
        _out.ResetWrittenCount();
        _answers.ResetWrittenCount();
    }

    private void Begin(ref FuzzRandom random, QemuImage image, ImageContents contents)
    {
        var settings = new PostcopySettings { SectionPages = 2, HasPreemptChannel = random.Below(2) == 0 };
        _core = new PostcopyCore(image.Stream, contents, settings);
        _reader = new ReturnPathReader(_core.MaxBitmapBytes);
        _inputsOfCore = 0;
        if (random.Below(3) == 0)
            _core.BeginRecovery(_out);
        else
            _core.Begin(_out, image.DeviceState, 0);
        _out.ResetWrittenCount();
    }

    // Some messages that a destination may send.
    private void Compose(ref FuzzRandom random)
    {
        _length = 0;
        for (var count = 1 + random.Below(3); count > 0; count--)
        {
            switch (random.Below(8))
            {
                case 0:
                    Message(2, 4);
                    UInt32((uint)random.Below(5));
                    break;
                case 1 when random.Below(50) == 0:
                    Message(1, 4);
                    UInt32((uint)random.Below(2));
                    break;
                case 2:
                    Message(6, 4);
                    UInt32(1);
                    break;
                case 3:
                    Bitmap(ref random);
                    break;
                case 4 or 5:
                    var name = random.Below(30) == 0 ? "vga.vram" : "pc.ram";
                    Message(3, 13 + name.Length);
                    Request(ref random);
                    Counted(name);
                    break;
                default:
                    Message(4, 12);
                    Request(ref random);
                    break;
            }
        }
    }

    private void Spoil(ref FuzzRandom random)
    {
        for (var change = random.Below(3); change > 0; change--)
        {
            var at = random.Below(_length);
            _bytes[at] = random.Below(2) == 0 ? (byte)random.Next() : (byte)(_bytes[at] ^ (1 << random.Below(8)));
        }
        if (random.Below(8) == 0)
            _length = random.Below(_length);
    }

    private void Bitmap(ref FuzzRandom random)
    {
        const string name = "pc.ram";
        Message(5, 1 + name.Length);
        Counted(name);
        UInt64(Pages / 8);
        UInt64(random.Next());
        UInt64(0x0123456789abcdef);
    }

    private void Request(ref FuzzRandom random)
    {
        UInt64((ulong)random.Below((int)Pages) * 4096);
        UInt32(random.Below(8) == 0 ? 8192U : 4096U);
    }

    private void Message(ushort kind, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(_length), kind);
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(_length + 2), (ushort)length);
        _length += 4;
    }

    private void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(_length), value);
        _length += 4;
    }

    private void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_bytes.AsSpan(_length), value);
        _length += 8;
    }

    private void Counted(string text)
    {
        _bytes[_length] = (byte)text.Length;
        _length += 1 + Encoding.ASCII.GetBytes(text, _bytes.AsSpan(_length + 1));
    }
}
