using System.Text.Json;
using Userfault.Host.Tests;
using Userfault.Kernel.Tests.Cases;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Kernel.Tests.Command;

/// <summary><c>userfault kvm</c> on the machine's own KVM: real vCPUs, real faults, every page verified.</summary>
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

    [KernelTheory]
    [InlineData("userfaultfd", "3", "none")]
    [InlineData("kick", "3", "none")]
    [InlineData("holes", "3", "none")]
    [InlineData("kick", "0", "none")]
    [InlineData("holes", "3", "sequential")]
    public async Task A_real_guest_gets_its_pages_and_they_are_right(string mode, string cpl, string background)
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        if (mode != "holes")
            Here.NeedsUserfaultfd();
        var run = await CommandLine.Run(["kvm", .. Guest, "--mode", mode, "--cpl", cpl, "--background", background]);
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
        var mmio = details.GetProperty("vcpus").EnumerateArray().Sum(v => v.GetProperty("mmio").GetInt32());
        Assert.Equal(mode == "holes", mmio > 0);
    }

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

    [KernelTheory]
    [InlineData("--cpl", "2", "0 or 3")]
    [InlineData("--mode", "both", "one of")]
    [InlineData("--vcpus", "60000", "vCPUs")]
    public async Task Bad_input_is_one_line(string option, string value, string part)
    {
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        var run = await CommandLine.Run("kvm", "--synthetic", "512M", "--pattern", "random", option, value);
        run.IsBadInput(value, part);
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
