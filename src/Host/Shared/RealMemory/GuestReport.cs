using System.Text.Json;
using Userfault.Kvm;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What a stand-in guest saw.</summary>
internal sealed record GuestReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Pages of guest memory.</summary>
    public required ulong Pages { get; init; }

    /// <summary>Threads that touched it.</summary>
    public required int Touchers { get; init; }

    /// <summary>The workload's name.</summary>
    public required string Workload { get; init; }

    /// <summary>Accesses that were made.</summary>
    public required long Touches { get; init; }

    /// <summary>How long they took; negative where not all were made.</summary>
    public required long TouchedNs { get; init; }

    /// <summary>From the beginning to this report.</summary>
    public required long ElapsedNs { get; init; }

    /// <summary>How long each thread's first touch of a page took.</summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>Pages that were given back.</summary>
    public required ulong BalloonPages { get; init; }

    /// <summary>Exits that were sent to the handler, in the secret-free form.</summary>
    public required long Requests { get; init; }

    /// <summary>Exits that were answered more than once.</summary>
    public required long RepeatedAnswers { get; init; }

    /// <summary>Pages whose content was checked.</summary>
    public required long Checked { get; init; }

    /// <summary>Of these, pages with other content than they must have.</summary>
    public required long Wrong { get; init; }

    /// <summary>The first of them; null where there is none.</summary>
    public required ulong? FirstWrong { get; init; }

    /// <summary>Why it ended early; null where it did not.</summary>
    public required string? Problem { get; init; }

    /// <summary>Garbage collections that were forced meanwhile.</summary>
    public required long Collections { get; init; }

    /// <summary>Each thread.</summary>
    public required IReadOnlyList<GuestVcpu> Vcpus { get; init; }

    /// <summary>What its memory was.</summary>
    public required GuestMemoryForm Form { get; init; }

    /// <summary>Did it end, with nothing wrong in what was checked?</summary>
    public bool IsGood => Problem is null && Wrong == 0;

    // Why no guest_memfd could take the memfd's place here; null where one could.
    private string? GuestMemfd => SecretFree ? GuestMemfdProbe.WhyNot() : null;

    private bool SecretFree => Form == GuestMemoryForm.SecretFree;

    private double TouchesPerSecond => TouchedNs <= 0 ? 0 : Touches / (TouchedNs / 1e9);

    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine($"guest      {Pages} pages ({Units.Size(Pages * 4096.0)}), {Workload}, {Touchers} touchers");
        output.WriteLine(
            $"touches    {Touches} in {Units.Duration(TouchedNs < 0 ? ElapsedNs : TouchedNs)}, {TouchesPerSecond:0} "
                + $"a second"
        );
        output.WriteLine(
            $"latency    p50 {Units.Duration(Latency.PercentileNs(50))}, p99 "
                + $"{Units.Duration(Latency.PercentileNs(99))}, "
                + $"p99.9 {Units.Duration(Latency.PercentileNs(99.9))}, max {Units.Duration(Latency.MaxNs)} (each "
                + $"thread's first touch of a page)"
        );
        if (Requests > 0)
        {
            output.WriteLine(
                $"exits      {Requests}" + (RepeatedAnswers > 0 ? $", {RepeatedAnswers} answered twice" : "")
            );
        }

        if (SecretFree)
        {
            output.WriteLine(
                $"memory     a memfd in a guest_memfd's place; "
                    + $"{GuestMemfd ?? "this kernel has a guest_memfd that could be served"}"
            );
        }

        if (Form == GuestMemoryForm.Shmem)
            output.WriteLine("memory     shared, all of its file allocated and handed over");

        if (BalloonPages > 0)
            output.WriteLine($"balloon    {BalloonPages} pages given back");
        if (Collections > 0)
            output.WriteLine($"collected  {Collections} times meanwhile");
        output.WriteLine(
            Problem is not null ? $"failed     {Problem}"
            : Checked == 0 ? "verified   nothing was checked"
            : Wrong == 0 ? $"verified   all {Checked} pages"
            : $"verified   {Wrong} of {Checked} pages are wrong, the first is page {FirstWrong}"
        );
    }

    /// <summary>Writes it for programs.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            new
            {
                Verified = IsGood && Checked == (long)Pages,
                Problem,
                Pages,
                Touchers,
                Workload,
                Touches,
                TouchedMs = TouchedNs / 1e6,
                ElapsedMs = ElapsedNs / 1e6,
                TouchesPerSecond,
                TouchLatencyUs = LatencyPercentiles.Of(Latency),
                Requests,
                RepeatedAnswers,
                BalloonPages,
                Memory = Units.NameOf(Form),
                MemfdInPlaceOfGuestMemfd = SecretFree,
                NoGuestMemfdBecause = GuestMemfd,
                Checked,
                Wrong,
                FirstWrong,
                Collections,
            },
            Options
        );
}
