using System.Net.Sockets;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>
/// One guest's restore from the first connection to its end: makes the destination ready where it has a monitor,
/// serves it, and goes on after a broken connection where it can.
/// </summary>
internal sealed class RestoredGuest : IDisposable
{
    // QEMU's last words come a moment after its socket is closed.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);
    private const int MaxRecoveries = 100;

    private readonly int _guest;
    private readonly RestoreTarget _target;
    private readonly GuestRestore _restore;
    private readonly SavedStream _stream;
    private readonly TimeSpan _patience;
    private readonly bool _hasPreempt;
    private readonly Action<string> _log;
    private readonly DestinationLog? _destinationLog;
    private long _connectedAt;
    private long _resumedNs = -1;
    private int _recoveries;

    /// <summary>A restore that has not begun.</summary>
    /// <param name="guest">Its number, from 1.</param>
    /// <param name="target">Where to.</param>
    /// <param name="restore">What to send; owned.</param>
    /// <param name="stream">What the file holds.</param>
    /// <param name="hasPreempt">With a second connection?</param>
    /// <param name="patience">How long a destination is waited for.</param>
    /// <param name="log">Told what happens.</param>
    public RestoredGuest(
        int guest,
        RestoreTarget target,
        GuestRestore restore,
        SavedStream stream,
        bool hasPreempt,
        TimeSpan patience,
        Action<string> log
    )
    {
        (_guest, _target, _restore, _hasPreempt) = (guest, target, restore, hasPreempt);
        (_stream, _patience, _log) = (stream, patience, log);
        _destinationLog = target.Log is null ? null : new DestinationLog(target.Log);
    }

    /// <summary>How far it is.</summary>
    public GuestProgress Progress => _restore.Progress;

    /// <summary>Restores it.</summary>
    /// <param name="kind">From the beginning, or a guest that has lost its source.</param>
    /// <param name="stop">Ends it early.</param>
    public async Task<RestoreEnd> RunAsync(SessionKind kind, CancellationToken stop)
    {
        _connectedAt = TimeProvider.System.GetTimestamp();
        var startedAt = _connectedAt;
        SessionEnd end;
        try
        {
            end = await RestoreAsync(kind, stop);
        }
        catch (DestinationException e)
        {
            end = new SessionEnd(HasRun(kind) ? PostcopyEnd.Broken : PostcopyEnd.ClosedBeforeRun, e.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            end = new SessionEnd(PostcopyEnd.Stopped, "stopped");
        }

        return new RestoreEnd(
            _guest,
            _target,
            end.End,
            end.Reason,
            _restore.Progress,
            _resumedNs >= 0 ? _resumedNs : _restore.Progress.RunningNs,
            ElapsedSince(startedAt),
            _recoveries,
            _restore.Waits,
            _restore.ForeignBlocks
        );
    }

    public void Dispose() => _restore.Dispose();

    private async Task<SessionEnd> RestoreAsync(SessionKind kind, CancellationToken stop)
    {
        await using var monitor = _target.Monitor is null
            ? null
            : await QmpDestination.ConnectAsync(_target.Monitor, _patience, TimeProvider.System, stop);
        var address = _target.Address;
        if (monitor is not null && kind == SessionKind.Start)
            await monitor.PrepareAsync(address, _hasPreempt, stop);
        _ = monitor?.Resumed.ContinueWith(
            _ => Resumed(ElapsedSince(Interlocked.Read(ref _connectedAt))),
            stop,
            TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.OnlyOnRanToCompletion,
            TaskScheduler.Default
        );
        var end = new SessionEnd(PostcopyEnd.Broken, "");
        while (true)
        {
            string? madeFor = null;
            if (monitor is not null && kind == SessionKind.Recovery)
            {
                address = _target.Address.ToRecover();
                madeFor = address.Path;
                try
                {
                    await monitor.RecoverAsync(address, _stream, _patience, TimeProvider.System, stop);
                }
                catch (QmpException) when (monitor.IsGone && _recoveries > 0)
                {
                    // It was not the connection that broke, but QEMU.
                    return await ExplainAsync(end, kind, monitor, stop);
                }
            }

            try
            {
                end = await ServeAsync(address, kind, stop);
            }
            finally
            {
                // QEMU leaves the files of its sockets behind; this one was not the user's.
                if (madeFor is not null)
                    File.Delete(madeFor);
            }

            if (end.End != PostcopyEnd.Broken || monitor is null || monitor.IsGone || _recoveries >= MaxRecoveries)
                return end.End == PostcopyEnd.Completed ? end : await ExplainAsync(end, kind, monitor, stop);
            _log($"guest {_guest}: the connection broke ({end.Reason}); recovering");
            _recoveries++;
            kind = SessionKind.Recovery;
        }
    }

    private async Task<SessionEnd> ServeAsync(DestinationAddress address, SessionKind kind, CancellationToken stop)
    {
        var main = await address.ConnectAsync(_patience, TimeProvider.System, stop);
        Socket? answers = null;
        try
        {
            // The second connection must be the second that QEMU accepts.
            if (_hasPreempt)
                answers = await address.ConnectAsync(_patience, TimeProvider.System, stop);
        }
        catch
        {
            main.Dispose();
            throw;
        }

        if (kind == SessionKind.Start)
            Interlocked.Exchange(ref _connectedAt, TimeProvider.System.GetTimestamp());
        _log($"guest {_guest}: {(kind == SessionKind.Start ? "restoring" : "recovering")} to {address.Uri}");
        return await _restore.RunAsync(main, answers, kind, stop);
    }

    private void Resumed(long ns)
    {
        _resumedNs = ns;
        _log($"guest {_guest}: resumed after {Units.Duration(ns)}");
    }

    // QEMU says why on its standard error, and newer ones on their monitor; the socket is only closed.
    private async Task<SessionEnd> ExplainAsync(
        SessionEnd end,
        SessionKind kind,
        QmpDestination? monitor,
        CancellationToken stop
    )
    {
        if (end.End is PostcopyEnd.Stopped or PostcopyEnd.NoContents)
            return end with { Reason = $"{end.Reason}; {(HasRun(kind) ? Recover() : "start QEMU anew")}" };
        if (end.End is PostcopyEnd.ImageChanged)
        {
            return end with { Reason = $"{end.Reason}; the guest may have pages of both contents: restore it anew" };
        }

        string? why = null;
        var isGone = end.End is PostcopyEnd.ClosedBeforeRun or PostcopyEnd.Refused;
        if (monitor is not null && !stop.IsCancellationRequested)
        {
            why = await monitor.FailureAsync(stop);
            if (isGone)
                _ = await monitor.WaitForAsync("failed", LastWords, TimeProvider.System, stop);
            isGone |= monitor.IsGone;
        }

        why = _destinationLog?.Reason() ?? why;
        var said = why is null ? "" : $"QEMU says: {why}; ";
        return end with { Reason = $"{end.Reason}; {said}{(isGone ? StartAnew(end.End, why) : Recover())}" };
    }

    private bool HasRun(SessionKind kind) => kind == SessionKind.Recovery || _restore.Progress.RunningNs >= 0;

    private string StartAnew(PostcopyEnd end, string? why)
    {
        if (end == PostcopyEnd.Broken)
            return "start QEMU anew";
        if (why?.Contains("postcopy is disabled", StringComparison.Ordinal) == true)
            return "set its capability postcopy-ram before it listens, or give --qmp, and start QEMU anew";
        if (why?.Contains("RAM page sizes", StringComparison.Ordinal) == true)
            return "name each block that is on huge pages there with --huge-pages BLOCK=SIZE, and start QEMU anew";
        var see =
            _destinationLog is null && why is null
                ? "see QEMU's standard error for the reason (--qemu-log FILE shows it here), and "
                : "";
        // Without a monitor it may also be a QEMU that another restore serves.
        var unless = _target.Monitor is null ? "unless it runs a guest, " : "";
        return $"{see}{unless}start QEMU anew with the options that 'userfault qemu info' shows";
    }

    private string Recover() =>
        _target.Monitor is null
            ? "the guest is paused: say migrate-recover with a new address in QEMU's monitor, then give that "
                + "address with --recover"
            : "the guest is paused: give the same command with --recover";

    private static long ElapsedSince(long timestamp) => TimeProvider.System.GetElapsedTime(timestamp).Ticks * 100;
}
