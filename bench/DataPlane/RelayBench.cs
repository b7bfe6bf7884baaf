using System.Globalization;
using System.Net;
using Userfault.DataPlane;
using Userfault.Fetch;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Bench.DataPlane;

/// <summary>
/// <c>relay [--outstanding 256] [--pages 1] [--rounds 5] [--seconds 1]</c>: the page data plane through a process that
/// passes pages on, as a fetcher's node does, beside the way straight from the source, turn by turn in one run. Three
/// processes and a client share what processors there are.
/// </summary>
internal static class RelayBench
{
    public static int Run(string[] args)
    {
        var outstanding = Arguments.Number(args, "--outstanding", 256);
        var pages = Arguments.Number(args, "--pages", 1);
        var rounds = Arguments.Number(args, "--rounds", 5);
        var seconds = Arguments.Number(args, "--seconds", 1);
        var directory = Directory.CreateTempSubdirectory("userfault-bench-").FullName;
        try
        {
            var image = DataPlaneBench.WriteImage(Path.Combine(directory, "image.raw"));
            var program = Environment.ProcessPath!;
            using var source = ServerProcess.Start(
                program,
                DataPlaneBench.Self("children", "data-plane-server", image)
            );
            var port = source.Port.ToString(CultureInfo.InvariantCulture);
            using var relay = ServerProcess.Start(
                program,
                DataPlaneBench.Self("children", "data-plane-relay", image, port)
            );
            var identity = ImageIdentity.Of(MemoryImages.OpenRaw(image));
            Console.WriteLine(
                $"{outstanding} requests of {pages} page(s) outstanding, {rounds} rounds of {seconds} s each"
            );
            for (var round = 0; round <= rounds; round++)
            {
                var straight = PageLoad.Run(source, identity, DataPlaneBench.ImagePages, outstanding, pages, seconds);
                var before = Allocated(relay);
                var passedOn = PageLoad.Run(relay, identity, DataPlaneBench.ImagePages, outstanding, pages, seconds);
                var bytes = (Allocated(relay) - before) / (passedOn.PagesPerSecond * seconds);
                // The first round warms up.
                if (round > 0)
                {
                    Print("straight", straight, "");
                    Print("relayed", passedOn, $", {bytes:F0} bytes allocated a page there");
                }
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return 0;
    }

    /// <summary>
    /// The process between: serves what it asks of the source, and says for each line what it has allocated.
    /// </summary>
    public static int Serve(string path, string port)
    {
        using var image = MemoryImages.OpenRaw(path);
        using var client = PageClient.Connect(
            new PageClientOptions
            {
                Server = new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)),
                Image = image.Identity,
            }
        );
        using var source = new ReplicatedSource(
            image.Identity,
            image.Pages,
            "relay",
            new FetchSettings(),
            () => TimeProvider.System.GetTimestamp()
        );
        source.Add(client);
        using var server = new PageServer(
            new PageServerOptions { Log = Console.Error.WriteLine },
            [new PageOffer(source)]
        );
        Console.WriteLine(server.Endpoint.Port);
        while (Console.In.ReadLine() is not null)
        {
            Console.WriteLine(GC.GetTotalAllocatedBytes(precise: true));
        }
        return 0;
    }

    private static double Allocated(ServerProcess process) => double.Parse(process.Ask(), CultureInfo.InvariantCulture);

    private static void Print(string name, LoadResult result, string more) =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name, -9} {result.PagesPerSecond / 1e3, 5:F0} k pages/s  p50 {result.P50Us, 5:F0} us  p99 "
                    + $"{result.P99Us, 6:F0} us  "
                    + $"processor a page: server {result.ServerUsPerPage:F2} us{more}"
            )
        );
}
