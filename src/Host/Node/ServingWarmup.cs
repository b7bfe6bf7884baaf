using System.Net.Sockets;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Compiles the way of a request before the first destination makes one: a server and a client of this process exchange
/// a few pages while the node joins. The node's own server and its counters are not touched.
/// </summary>
internal sealed class ServingWarmup : IDisposable
{
    /// <summary>How many requests are made.</summary>
    internal const int Requests = 64;
    private const ulong PagesPerRequest = 8;

    private readonly ClusterSetup _setup;
    private readonly IMemoryImage _image;
    private readonly Thread _thread;

    /// <summary>Begins.</summary>
    /// <param name="setup">The node's addresses and certificates.</param>
    /// <param name="image">The image that it serves, at least until this is disposed of.</param>
    public ServingWarmup(ClusterSetup setup, IMemoryImage image)
    {
        (_setup, _image) = (setup, image);
        _thread = new Thread(Run) { IsBackground = true, Name = "userfault-warm-up" };
        _thread.Start();
    }

    /// <summary>How many requests were answered with their pages, once this is disposed of.</summary>
    public int Answered { get; private set; }

    /// <summary>Waits for its end.</summary>
    public void Dispose() => _thread.Join();

    private void Run()
    {
        try
        {
            using var server = new PageServer(_setup.ServerOptions(0) with { Log = null }, [new PageOffer(_image)]);
            using var client = PageClient.Connect(
                _setup.ClientOptions(_image.Identity) with
                {
                    Server = server.Endpoint,
                }
            );
            var sink = new CountingSink();
            var count = Math.Min(PagesPerRequest, _image.Pages);
            for (var i = 0; i < Requests; i++)
            {
                var first = new MemoryPage((ulong)i * PagesPerRequest % (_image.Pages - count + 1));
                var priority = i % 2 == 0 ? FetchPriority.Demand : FetchPriority.Background;
                client.Request(new PageRequest((ulong)i, priority, 0), [new MemoryPageRange(first, count)], sink);
            }

            Answered = sink.Wait();
        }
        catch (Exception e) when (e is PageConnectionException or SocketException or IOException)
        {
            // Nothing is compiled then; what is wrong is reported where the node itself meets it.
        }
    }

    private sealed class CountingSink : IPageSink
    {
        private readonly TaskCompletionSource _done = new();
        private int _open = Requests;
        private int _answered;

        public int Wait()
        {
            _done.Task.Wait();
            return _answered;
        }

        public void OnPages(PageBatch batch)
        {
            var isLast = batch.IsLast;
            batch.Release();
            if (!isLast)
                return;
            _answered++;
            End();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => End();

        private void End()
        {
            if (Interlocked.Decrement(ref _open) == 0)
                _done.SetResult();
        }
    }
}
