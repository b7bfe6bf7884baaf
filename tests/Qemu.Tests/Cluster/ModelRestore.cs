using System.Buffers;
using System.Diagnostics;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// A restore to <see cref="ModelDestination"/> by the core that sessions have, over no socket: what is written is read
/// at once. Pages come from a source, on its threads.
/// </summary>
internal sealed class ModelRestore : IDisposable
{
    private readonly ArrayBufferWriter<byte> _main = new();
    private readonly ReturnPathReader _reader = new(1 << 20);
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly GuestSource _source;
    private readonly IPageContents _contents;
    private readonly PostcopyCore _core;
    private readonly long _startedAt = Stopwatch.GetTimestamp();

    public ModelRestore(GuestSource source, PostcopySettings? settings = null)
    {
        _source = source;
        _contents = source.Open();
        _contents.WakeOn(() => _wake.Set());
        _core = new PostcopyCore(source.Stream, _contents, settings ?? new PostcopySettings { SectionPages = 8 });
        Destination = new ModelDestination([.. source.Stream.Blocks.Select(static b => (b.Name, b.Pages))]);
    }

    public ModelDestination Destination { get; }

    public PostcopyCore Core => _core;

    /// <summary>Why no more pages come; null while they do.</summary>
    public string? Problem => _contents.Problem;

    private long NowNs => (long)Stopwatch.GetElapsedTime(_startedAt).TotalNanoseconds;

    /// <summary>Until the destination has all, or there is a problem.</summary>
    /// <param name="turn">Called before each turn, with its number.</param>
    public void Run(Action<int>? turn = null)
    {
        _core.Begin(_main, _source.Devices.Span, NowNs);
        Pass();
        for (var i = 0; !Destination.IsComplete && Problem is null; i++)
        {
            Assert.True(Stopwatch.GetElapsedTime(_startedAt) < Patience.Longest, $"{_core.Left} pages are left");
            turn?.Invoke(i);
            Take();
            while (_contents.TryTakeArrived(NowNs, out var page))
                _core.OnArrived(page);
            var written = _core.TryWrite(_main, null, NowNs);
            Pass();
            if (written.Kind == WrittenKind.Nothing && !Destination.IsComplete)
                Wait();
        }

        Take();
    }

    public void Dispose()
    {
        _contents.Dispose();
        _wake.Dispose();
    }

    private void Wait()
    {
        var waitMs = (Math.Min(_contents.NextArrivalNs, NowNs + 20_000_000) - NowNs) / 1_000_000;
        _wake.WaitOne((int)Math.Max(0, waitMs));
    }

    private void Pass()
    {
        Destination.Read(_main.WrittenSpan);
        _main.Clear();
    }

    private void Take()
    {
        _reader.Append(Destination.TakeReplies());
        while (_reader.TryRead(out var message))
            _core.OnMessage(message, _main, NowNs);
    }
}
