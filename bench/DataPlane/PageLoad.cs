using System.Diagnostics;
using System.Net;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Bench.DataPlane;

/// <summary>
/// A closed loop on one connection: as many requests as are to be outstanding, each answered by the next one, for
/// random pages. Latency runs from asking until the last page is here.
/// </summary>
internal sealed class PageLoad : IPageSink
{
    private const int HistogramUs = 1 << 17;

    private readonly PageClient _client;
    private readonly Random _random = new(1);
    private readonly long[] _askedAt;
    private readonly int[] _histogram = new int[HistogramUs];
    private readonly TaskCompletionSource _drained = new();
    private readonly int _pagesPerRequest;
    private readonly int _imagePages;
    private readonly long _from;
    private readonly long _until;
    private long _pages;
    private int _running;

    private PageLoad(PageClient client, int imagePages, int outstanding, int pagesPerRequest, int seconds)
    {
        _client = client;
        _imagePages = imagePages;
        _pagesPerRequest = pagesPerRequest;
        _askedAt = new long[outstanding];
        _running = outstanding;
        _from = Stopwatch.GetTimestamp();
        _until = _from + (seconds * Stopwatch.Frequency);
    }

    /// <summary>Offered to both servers; the C server looks for no duplicates and takes none.</summary>
    public static int DuplicateWindow { get; set; } = 64;

    public static LoadResult Run(
        ServerProcess server,
        ImageIdentity image,
        int imagePages,
        int outstanding,
        int pagesPerRequest,
        int seconds
    )
    {
        var serverBefore = server.ProcessorTime;
        var clientBefore = Environment.CpuUsage.TotalTime;
        using var client = PageClient.Connect(
            new PageClientOptions
            {
                Server = new IPEndPoint(IPAddress.Loopback, server.Port),
                Image = image,
                DuplicateWindow = DuplicateWindow,
            }
        );
        var load = new PageLoad(client, imagePages, outstanding, pagesPerRequest, seconds);
        for (var i = 0; i < outstanding; i++)
        {
            load.Ask((ulong)i, Stopwatch.GetTimestamp());
        }
        load._drained.Task.Wait();
        var elapsed = Stopwatch.GetElapsedTime(load._from).TotalSeconds;
        return new LoadResult(load._pages / elapsed, load.Percentile(0.5), load.Percentile(0.99))
        {
            ServerUsPerPage = (server.ProcessorTime - serverBefore).TotalMicroseconds / load._pages,
            ClientUsPerPage = (Environment.CpuUsage.TotalTime - clientBefore).TotalMicroseconds / load._pages,
        };
    }

    public void OnPages(PageBatch batch)
    {
        var now = Stopwatch.GetTimestamp();
        _pages += batch.Count;
        (var id, var isLast) = (batch.RequestId, batch.IsLast);
        batch.Release();
        if (!isLast)
        {
            return;
        }
        var us = (now - _askedAt[id]) * 1_000_000 / Stopwatch.Frequency;
        _histogram[Math.Min(us, HistogramUs - 1)]++;
        if (now < _until)
        {
            Ask(id, now);
        }
        else if (--_running == 0)
        {
            _drained.SetResult();
        }
    }

    public void OnFailed(ulong requestId, FetchFailure failure) =>
        throw new InvalidOperationException($"request {requestId}: {failure}");

    private void Ask(ulong id, long now)
    {
        _askedAt[id] = now;
        var first = new MemoryPage((ulong)_random.Next(_imagePages - _pagesPerRequest + 1));
        _client.Request(
            new PageRequest(id, FetchPriority.Demand, 0),
            [new MemoryPageRange(first, (ulong)_pagesPerRequest)],
            this
        );
    }

    private double Percentile(double share)
    {
        var wanted = (long)(_histogram.Sum(count => (long)count) * share);
        var us = 0;
        for (long seen = 0; us < HistogramUs - 1 && (seen += _histogram[us]) <= wanted; us++) { }
        return us;
    }
}
