using System.Text.Json;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary><c>userfault migrate</c> end to end: exit codes, tables, JSON, the page.</summary>
public class MigrateTests
{
    [Fact]
    public async Task Without_options_the_sample_runs_to_a_verified_completion()
    {
        using var folder = new TemporaryFolder();
        var run = await CommandLine.Run("migrate", "--json", folder.At("report.json"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("linux-4vcpu.touch.csv.gz", run.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.At("report.json")));
        Assert.True(json.RootElement.GetProperty("verified").GetBoolean());
        Assert.Equal(32768, json.RootElement.GetProperty("pagesPresent").GetInt32());
        var verification = json.RootElement.GetProperty("details").GetProperty("verification");
        Assert.Equal(32768, verification.GetProperty("verified").GetInt32());
    }

    [Theory]
    [InlineData("x86", "both", "anonymous")]
    [InlineData("x86", "userfaultfd", "shmem")]
    [InlineData("arm64", "userfault", "anonymous")]
    [InlineData("x86", "userfault", "guest_memfd")]
    public async Task The_json_tells_every_figure(string arch, string mode, string memory)
    {
        var run = await CommandLine.Run(
            "migrate",
            "--synthetic",
            "16M",
            "--pattern",
            "zipf",
            "--vcpus",
            "8",
            "--accesses",
            "1000",
            "--ips",
            "off",
            "--overlapping",
            "--arch",
            arch,
            "--mode",
            mode,
            "--memory",
            memory,
            "--json",
            "-"
        );
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.Equal("completed", root.GetProperty("state").GetString());
        Assert.True(root.GetProperty("verified").GetBoolean());
        Assert.Equal((arch, mode, memory), (Text("arch"), Text("mode"), Text("memory")));
        Assert.Equal(4096, root.GetProperty("pagesPresent").GetInt32());
        Assert.Equal(4096, Details().GetProperty("verification").GetProperty("verified").GetInt32());
        Assert.Equal(
            8000,
            Details().GetProperty("vcpus").EnumerateArray().Sum(v => v.GetProperty("accesses").GetInt32())
        );
        var placed = Details().GetProperty("placed");
        Assert.Equal(4096, placed.GetProperty("demand").GetInt32() + placed.GetProperty("background").GetInt32());
        Assert.Equal(4096, Details().GetProperty("fetches").GetProperty("delivered").GetInt32());
        var recovered = Details().GetProperty("tables").GetProperty("leaves2M").GetInt32();
        if (arch == "x86" && memory != "guest_memfd" && mode != "userfaultfd")
            Assert.NotEqual(0, recovered);

        string? Text(string name) => root.GetProperty(name).GetString();

        JsonElement Details() => root.GetProperty("details");
    }

    [Fact]
    public async Task The_json_keeps_its_schema()
    {
        var run = await CommandLine.Run(
            "migrate",
            "--synthetic",
            "4M",
            "--pattern",
            "sequential",
            "--vcpus",
            "3",
            "--ips",
            "off",
            "--json",
            "-"
        );
        using var json = JsonDocument.Parse(run.Output);
        var schema = json
            .RootElement.EnumerateObject()
            .Where(f => f.Name != "details")
            .Select(static f => $"{f.Name}: {KindOf(f.Value)}");
        Assert.Equal(
            [
                "verified: Boolean",
                "state: String",
                "arch: String",
                "mode: String",
                "memory: String",
                "vcpus: Number",
                "pages: Number",
                "pagesPresent: Number",
                "faults: Number",
                "merged: Number",
                "fetches: Number",
                "backgroundPages: Number",
                "zeroPages: Number",
                "duplicatePages: Number",
                "pagesPerSecond: Number",
                "elapsedMs: Number",
                "completionMs: Number",
                "faultLatencyUs: Object",
                "stallMs: Array",
            ],
            schema
        );
        Assert.Equal(
            ["p50", "p90", "p99", "p999", "max"],
            json.RootElement.GetProperty("faultLatencyUs").EnumerateObject().Select(f => f.Name)
        );
        Assert.Equal(3, json.RootElement.GetProperty("stallMs").GetArrayLength());
        Assert.Equal(3, json.RootElement.GetProperty("vcpus").GetInt32());
    }

    [Fact]
    public async Task A_raw_image_with_a_latency_arrives_on_demand_alone()
    {
        using var folder = new TemporaryFolder();
        var bytes = new byte[2 << 20];
        new Random(3).NextBytes(bytes);
        var image = folder.Write("guest.mem", bytes);
        var trace = folder.Write("touch.csv", "# a trace\n0,0,1f,R\n1,10,20,W\n0,2000,1f,X\n1,3000,0,R\n");
        var run = await CommandLine.Run(
            "migrate",
            "--image",
            image,
            "--trace",
            trace,
            "--background",
            "none",
            "--latency",
            "30us",
            "--mode",
            "userfault",
            "--json",
            "-"
        );
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(3, json.RootElement.GetProperty("pagesPresent").GetInt32());
        Assert.Equal(3, json.RootElement.GetProperty("faults").GetInt32());
        Assert.True(json.RootElement.GetProperty("faultLatencyUs").GetProperty("p50").GetDouble() >= 30);
    }

    [Fact]
    public async Task A_pattern_over_a_core_stays_in_the_guests_memory()
    {
        // Sixteen pages at 0 and four of a device at 56 TiB, where a guest's 64-bit BARs lie: a walk over the hole
        // never ends.
        const int header = 64 + (2 * 56),
            low = 16 * 4096,
            high = 4 * 4096;
        var core = new byte[header + low + high];
        new Random(4).NextBytes(core);
        new byte[] { 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1 }.CopyTo(core, 0);
        Put(16, 4, 2);
        Put(32, 64, 8);
        Put(54, 56, 2);
        Put(56, 2, 2);
        Load(64, header, 0, low);
        Load(64 + 56, header + low, 0x3800_0000_0000, high);
        using var folder = new TemporaryFolder();

        var run = await CommandLine.Run(
            "migrate",
            "--image",
            folder.Write("guest.elf", core),
            "--pattern",
            "sequential",
            "--vcpus",
            "2",
            "--json",
            "-"
        );

        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(
            20,
            json.RootElement.GetProperty("details").GetProperty("verification").GetProperty("verified").GetInt32()
        );
        foreach (var vcpu in json.RootElement.GetProperty("details").GetProperty("vcpus").EnumerateArray())
            Assert.Equal((10, 0), (vcpu.GetProperty("accesses").GetInt32(), vcpu.GetProperty("mmio").GetInt32()));

        void Put(int at, long value, int bytes) =>
            BitConverter.GetBytes(value).AsSpan(0, bytes).CopyTo(core.AsSpan(at));

        void Load(int at, long offset, long address, long size)
        {
            Put(at, 1, 4);
            Put(at + 8, offset, 8);
            Put(at + 24, address, 8);
            Put(at + 32, size, 8);
            Put(at + 40, size, 8);
        }
    }

    [Fact]
    public async Task The_page_is_whole_and_asks_for_nothing()
    {
        using var folder = new TemporaryFolder();
        var run = await CommandLine.Run(
            "migrate",
            "--synthetic",
            "8M",
            "--html",
            folder.At("report.html"),
            "--json",
            folder.At("report.json")
        );
        Assert.Equal(0, run.ExitCode);
        var html = await File.ReadAllTextAsync(folder.At("report.html"));
        Assert.StartsWith("<!DOCTYPE html>", html, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        // The figures, and a picture each of latency, progress, stalls and the bitmap.
        Assert.Equal(1 + 4, html.Split("<h2>").Length - 1);
        Assert.Equal(4, html.Split("<svg ").Length - 1);

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.At("report.json")));
        Assert.True(json.RootElement.GetProperty("verified").GetBoolean());
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(folder.At("x"))!, "*.tmp"));
    }

    [Fact]
    public async Task A_recorded_working_set_is_replayed_and_a_foreign_one_refused()
    {
        using var folder = new TemporaryFolder();
        string[] guest =
        [
            "--synthetic",
            "8M",
            "--pattern",
            "random",
            "--vcpus",
            "2",
            "--accesses",
            "200",
            "--ips",
            "off",
        ];
        var recorded = await CommandLine.Run([
            "migrate",
            .. guest,
            "--background",
            "none",
            "--mode",
            "userfault",
            "--record",
            folder.At("set"),
        ]);
        Assert.Equal(0, recorded.ExitCode);

        var replayed = await CommandLine.Run(["migrate", .. guest, "--replay", folder.At("set"), "--json", "-"]);
        Assert.Equal(0, replayed.ExitCode);
        using var json = JsonDocument.Parse(replayed.Output);
        Assert.Equal("recorded", json.RootElement.GetProperty("details").GetProperty("background").GetString());

        var foreign = await CommandLine.Run(["migrate", .. guest, "--seed", "99", "--replay", folder.At("set")]);
        foreign.IsBadInput(folder.At("set"));
    }

    private static string KindOf(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? "Boolean" : $"{value.ValueKind}";
}
