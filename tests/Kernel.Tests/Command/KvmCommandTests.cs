using System.Text.Json;
using Userfault.Host.Tests;
using Userfault.Kernel.Tests.Cases;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Kernel.Tests.Command;

/// <summary><c>userfault kvm</c> on a kernel's KVM: real vCPUs, real faults, every page verified.</summary>
[Collection(KernelCollection.Name)]
public class KvmCommandTests
{
    private static readonly string[] Guest =
    [
        "--synthetic",
        "4M",
        "--pattern",
        "random",
        "--vcpus",
        "2",
        "--json",
        "-",
    ];

    /// <summary>Each mode once, at both levels: these run everywhere.</summary>
    [KernelTheory]
    [InlineData("kick", "0")]
    [InlineData("holes", "3")]
    public Task A_real_guest_gets_its_pages_and_they_are_right(string mode, string cpl) =>
        Migrates(["kvm", "--mode", mode, "--cpl", cpl], mode, "none");

    [KernelFact]
    public async Task A_migration_to_real_vcpus_is_the_same_by_its_other_name()
    {
        using var folder = new TemporaryFolder();
        var config = folder.Write("kvm.hocon", "userfault.kvm.mode = userfaultfd");
        await Migrates(["migrate", "--backend", "kvm", "--config", config], "userfaultfd", "none");
    }

    [LongUnderEmulation]
    [KernelTheory]
    [InlineData("userfaultfd", "3", "none")]
    [InlineData("userfaultfd", "0", "none")]
    [InlineData("kick", "3", "none")]
    [InlineData("holes", "0", "none")]
    [InlineData("holes", "3", "sequential")]
    public Task A_real_guest_gets_its_pages_however_it_runs(string mode, string cpl, string background) =>
        Migrates(["kvm", "--mode", mode, "--cpl", cpl], mode, background);

    private static async Task Migrates(string[] words, string mode, string background)
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        if (mode != "holes")
            Here.NeedsUserfaultfd();
        var run = await CommandLine.Run([.. words, .. Guest, "--background", background]);
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.Equal(
            ("completed", true),
            (root.GetProperty("state").GetString(), root.GetProperty("verified").GetBoolean())
        );
        var details = root.GetProperty("details");
        Assert.Equal("kvm", details.GetProperty("backend").GetString());
        Assert.Equal(
            1024,
            details.GetProperty("vcpus").EnumerateArray().Sum(v => v.GetProperty("accesses").GetInt32())
        );
        Assert.Equal(0, details.GetProperty("verification").GetProperty("wrongReads").GetInt32());
        var placed = details.GetProperty("placed");
        var (demand, pushed) = (placed.GetProperty("demand").GetInt32(), placed.GetProperty("background").GetInt32());
        Assert.Equal(root.GetProperty("pagesPresent").GetInt32(), demand + pushed);
        Assert.Equal(background == "none" ? Touched() : 1024, demand + pushed);
        Assert.Equal(0, background == "none" ? pushed : 0);
        // At one fault a page: both vCPUs have shares of their own.
        if (background == "none")
            Assert.Equal(Touched(), root.GetProperty("faults").GetInt32());
        // Not each page that it touched: pages of a hole are answered one by one, and large pages take one leaf.
        var tables = details.GetProperty("tables");
        Assert.Equal("kernel", tables.GetProperty("of").GetString());
        if (HasTwoDimensionalPaging())
            Assert.NotEqual(0, tables.GetProperty("leaves4K").GetInt64() + tables.GetProperty("leaves2M").GetInt64());
        var mmio = details.GetProperty("vcpus").EnumerateArray().Sum(v => v.GetProperty("mmio").GetInt32());
        Assert.Equal(mode == "holes", mmio > 0);
    }

    [LongUnderEmulation]
    [KernelFact]
    public async Task The_sample_trace_runs_on_real_vcpus()
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        Here.NeedsUserfaultfd();
        var run = await CommandLine.Run("kvm", "--json", "-");
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        IsVerified(run.Output, 32768);
    }

    /// <summary>A collection every millisecond: nobody may sleep on a page where a collection waits for him.</summary>
    [LongUnderEmulation]
    [KernelTheory]
    [InlineData("userfaultfd")]
    [InlineData("kick")]
    public async Task Collections_all_the_time_stop_nobody(string mode)
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        Here.NeedsUserfaultfd();
        var run = await CommandLine.Run(
            "kvm",
            "--synthetic",
            "8M",
            "--pattern",
            "random",
            "--vcpus",
            "8",
            "--overlapping",
            "--accesses",
            "400",
            "--mode",
            mode,
            "--gc-stress",
            "--json",
            "-"
        );
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        IsVerified(run.Output, 2048);
    }

    [KernelFact]
    public async Task More_vcpus_than_the_kernel_runs_is_one_line()
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        var run = await CommandLine.Run("kvm", "--synthetic", "512M", "--pattern", "random", "--vcpus", "60000");
        run.IsBadInput("60000", "vCPUs");
    }

    [KernelFact]
    public async Task A_mode_that_the_kernel_lacks_is_one_line()
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        using var host = new KernelKvmHost();
        Skip.If(host.HasUserfault, "this kernel has KVM_MEM_USERFAULT");
        var run = await CommandLine.Run("kvm", "--synthetic", "1M", "--mode", "userfault");
        run.IsBadInput("KVM_MEM_USERFAULT", "kick");
    }

    // Other kernels need not count what they shadow.
    private static bool HasTwoDimensionalPaging() =>
        File.ReadAllText("/sys/module/kvm/parameters/tdp_mmu").StartsWith('Y');

    private static void IsVerified(string json, int pages)
    {
        using var report = JsonDocument.Parse(json);
        Assert.True(report.RootElement.GetProperty("verified").GetBoolean());
        var verification = report.RootElement.GetProperty("details").GetProperty("verification");
        Assert.Equal(pages, verification.GetProperty("verified").GetInt32());
    }

    // How many pages that guest touches at all: the pattern's business, not the mode's.
    private static int Touched()
    {
        var workload = new PatternWorkload(new PatternSettings(PatternKind.Random, 2, 1024));
        HashSet<ulong> pages = [];
        for (var vcpu = 0; vcpu < 2; vcpu++)
        {
            var stream = workload.Open(vcpu);
            while (stream.TryNext(out var access))
                pages.Add(access.Gfn.Value);
        }

        return pages.Count;
    }
}
