using System.Text.Json;
using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>
/// The secret-free form's way of a vCPU exit: a request goes to the handler, and the vCPU's thread waits for its
/// answer, which a reader thread hands to it.
/// </summary>
internal sealed class FaultChannel : IDisposable
{
    // kvm_run.memory_fault.flags of an exit with USERFAULT.
    private const ulong UserfaultFlag = 1 << 4;
    private readonly UnixSocket _socket;
    private readonly SemaphoreSlim[] _answered;
    private readonly ExitBook _exits;
    private readonly Lock _sending = new();
    private readonly Thread _reader;
    private volatile string? _broken;
    private bool _isClosed;
    private long _requests;
    private long _repeated;

    public FaultChannel(UnixSocket socket, int vcpus)
    {
        _socket = socket;
        _answered = [.. Enumerable.Range(0, vcpus).Select(_ => new SemaphoreSlim(0))];
        _exits = new ExitBook(vcpus);
        _reader = new Thread(Read) { IsBackground = true, Name = "answers" };
        _reader.Start();
    }

    /// <summary>Requests so far.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Answers that came again, as after a takeover they may.</summary>
    public long Repeated => Volatile.Read(ref _repeated);

    /// <summary>What was wrong with an answer; null while nothing was.</summary>
    public string? Broken => _broken;

    /// <summary>Has the handler closed the connection?</summary>
    public bool IsClosed
    {
        get => Volatile.Read(ref _isClosed);
        private set => Volatile.Write(ref _isClosed, value);
    }

    /// <summary>Waits until the handler has the page in place.</summary>
    public void Exit(int vcpu, Gfn gfn)
    {
        Span<byte> json = stackalloc byte[FaultRequest.MaxBytes];
        var request = new FaultRequest(
            (uint)vcpu,
            gfn.Value << Page.Shift,
            UserfaultFlag,
            (vcpu & 1) == 0 ? null : gfn.Value
        );
        _exits.Begin(request);
        var length = request.WriteRequest(json);
        lock (_sending)
            _socket.Send(json[..length]);
        Interlocked.Increment(ref _requests);
        _answered[vcpu].Wait();
    }

    public void Dispose()
    {
        foreach (var answered in _answered)
            answered.Dispose();
    }

    private void Read()
    {
        var cutter = new JsonCutter(1 << 16);
        var descriptors = new List<OwnedFd>();
        try
        {
            while (_socket.Receive(cutter.Room, descriptors) is var bytes and > 0)
            {
                cutter.Fill(bytes);
                while (cutter.TryNext(out var json))
                    Take(json);
            }
            IsClosed = true;
            _broken ??= "the handler closed the connection";
        }
        catch (Exception e)
            when (e
                    is ProtocolException
                        or LinuxException
                        or JsonException
                        or InvalidOperationException
                        or KeyNotFoundException
            )
        {
            _broken ??= e.Message;
        }
    }

    private void Take(ReadOnlySpan<byte> json)
    {
        var answer = FaultRequest.Parse(json);
        var reader = new Utf8JsonReader(json);
        if (JsonElement.ParseValue(ref reader).GetProperty("len").GetUInt64() < Page.Size)
            _broken ??= $"an answer to vCPU {answer.Vcpu} of less than a page";
        switch (_exits.Take(answer))
        {
            case ExitAnswer.Own:
                _answered[answer.Vcpu].Release();
                break;
            case ExitAnswer.Repeated:
                Interlocked.Increment(ref _repeated);
                break;
            case ExitAnswer.Foreign:
                _broken ??= $"an answer to what vCPU {answer.Vcpu} did not ask: offset {answer.Offset}";
                break;
        }
    }
}
