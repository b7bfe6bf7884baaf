using System.Diagnostics;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// One vCPU's thread: follows its access stream, touching guest memory through native calls alone, and measures how
/// long each touch took. Waiting for a page moves all later accesses, as it would in a guest.
/// </summary>
internal sealed unsafe class Toucher
{
    private const long SpinBelowNs = 200_000;
    private readonly int _index;
    private readonly GuestRun _run;
    private readonly IAccessStream _stream;
    private readonly Thread _thread;
    private long _touches;
    private int _threadId;

    public Toucher(int index, GuestRun run, IAccessStream stream)
    {
        (_index, _run, _stream) = (index, run, stream);
        _thread = new Thread(Run) { IsBackground = true, Name = $"toucher {index}" };
    }

    /// <summary>The thread's id, as a userfaultfd tells it; 0 before it runs.</summary>
    public int ThreadId => Volatile.Read(ref _threadId);

    /// <summary>Touches so far.</summary>
    public long Touches => Volatile.Read(ref _touches);

    /// <summary>How long touches took that were each page's first by this thread.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Is the stream at its end?</summary>
    public bool HasEnded => !_thread.IsAlive;

    public void Start() => _thread.Start();

    private void Run()
    {
        Volatile.Write(ref _threadId, NativeTouch.ThreadId);
        using var seen = UserfaultBitmap.Allocate(_run.Memory.Pages);
        var begun = Stopwatch.GetTimestamp();
        long waited = 0;
        while (!_run.IsOver && _stream.TryNext(out var access))
        {
            _run.Pause?.Pass(_touches, (long)_stream.Count);
            WaitUntil(begun + access.DueNs + waited);
            var before = Stopwatch.GetTimestamp();
            Touch(access);
            var took = Stopwatch.GetTimestamp() - before;
            if (!seen.IsSet(access.Gfn.Value))
            {
                seen.Set(access.Gfn.Value);
                Latency.Record(took);
            }
            waited += took;
            Volatile.Write(ref _touches, _touches + 1);
        }
    }

    private void Touch(in GuestAccess access)
    {
        var memory = _run.Memory;
        var isWrite = access.Kind == Access.Write && !_run.IsBallooned(access.Gfn);
        if (isWrite)
            _run.Stamps.Note(_index, access.Gfn);
        var value = GuestStamps.ValueOf(_index, access.Gfn);
        if (memory.Bitmap is null || _run.IsDeviceAccess(_index, access.Gfn))
        {
            var at = memory.At(access.Gfn);
            if (isWrite)
                NativeTouch.Write(at + GuestStamps.OffsetOf(_index), value);
            else
                _ = NativeTouch.Read(at);
            return;
        }
        // What KVM does: a set bit is an exit, whatever is mapped, and again until the bit is clear.
        while (memory.Bitmap.IsSet(access.Gfn.Value) && !_run.IsOver)
            _run.Channel!.Exit(_index, access.Gfn);
        var offset = access.Gfn.Value << Page.Shift;
        if (isWrite)
            NativeTouch.Write(memory.File!, offset + (ulong)GuestStamps.OffsetOf(_index), value);
        else
            _ = NativeTouch.Read(memory.File!, offset);
    }

    private static void WaitUntil(long dueNs)
    {
        while (dueNs - Stopwatch.GetTimestamp() is var left and > 0)
        {
            // A sleep of the kernel's ends some 60 us late: the last of it is spun.
            if (left > SpinBelowNs)
                NativeTouch.Sleep((left - SpinBelowNs) / 1000);
            else
                Thread.SpinWait(16);
        }
    }
}
