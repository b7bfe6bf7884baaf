using System.Text.Json;
using Userfault.Kvm;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What a stand-in guest saw.</summary>
internal sealed record GuestReport(
    ulong Pages,
    int Touchers,
    string Workload,
    long Touches,
    long TouchedNs,
    long ElapsedNs,
    LatencyHistogram Latency,
    ulong BalloonPages,
    long Requests,
    long RepeatedAnswers,
    long Checked,
    long Wrong,
    ulong? FirstWrong,
    string? Problem,
    long Collections,
    IReadOnlyList<GuestVcpu> Vcpus,
    bool SecretFree
)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Did it end, with nothing wrong in what was checked?</summary>
    public bool IsGood => Problem is null && Wrong == 0;

    // Why no guest_memfd could take the memfd's place here; null where one could.
    private string? GuestMemfd { get; } = SecretFree ? GuestMemfdProbe.WhyNot() : null;

    private double TouchesPerSecond => TouchedNs <= 0 ? 0 : Touches / (TouchedNs / 1e9);

    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine($"guest      {Pages} pages ({Units.Size(Pages * 4096.0)}), {Workload}, {Touchers} touchers");
        output.WriteLine(
            $"touches    {Touches} in {Units.Duration(TouchedNs < 0 ? ElapsedNs : TouchedNs)}, {TouchesPerSecond:0} a second"
        );
        output.WriteLine(
            $"latency    p50 {Units.Duration(Latency.PercentileNs(50))}, p99 {Units.Duration(Latency.PercentileNs(99))}, "
                + $"p99.9 {Units.Duration(Latency.PercentileNs(99.9))}, max {Units.Duration(Latency.MaxNs)} (each thread's first touch of a page)"
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
                $"memory     a memfd in a guest_memfd's place; {GuestMemfd ?? "this kernel has a guest_memfd that could be served"}"
            );
        }

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
                TouchLatencyUs = ServeReport.Latency(Latency),
                Requests,
                RepeatedAnswers,
                BalloonPages,
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
