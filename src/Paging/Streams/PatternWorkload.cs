using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>A generated workload: every access computed when it is asked for, nothing stored.</summary>
public sealed class PatternWorkload : IWorkload
{
    private const int MostVcpus = 65536;
    private readonly PatternSettings _settings;

    /// <summary>The workload of these settings.</summary>
    /// <exception cref="PagingException">A setting is out of its bounds.</exception>
    public PatternWorkload(PatternSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Require(settings.Vcpus is > 0 and <= MostVcpus, "vCPUs", settings.Vcpus, $"give 1 to {MostVcpus}");
        Require(settings.Pages is > 0 and <= SyntheticImage.MostPages, "pages", settings.Pages, "give at least one page");
        Require(settings.Overlapping || settings.Pages >= (ulong)settings.Vcpus, "pages", settings.Pages,
            "give a page a vCPU, or let their shares overlap");
        Require(settings.WriteShare is >= 0 and <= 1, "write share", settings.WriteShare, "give 0 to 1");
        Require(settings.StridePages > 0, "stride", settings.StridePages, "give at least 1 page");
        Require(settings.ZipfExponent is > 0 and <= 4, "zipf exponent", settings.ZipfExponent, "give over 0 and up to 4");
        Require(settings.InstructionsPerAccess >= 0, "instructions per access", settings.InstructionsPerAccess, "give 0 or more");
        AccessTiming.Check(settings.InstructionsPerSecond);
        _settings = settings;
    }

    /// <inheritdoc/>
    public string Name => _settings.Kind.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    public int Vcpus => _settings.Vcpus;

    /// <inheritdoc/>
    public ulong Pages => _settings.Pages;

    /// <inheritdoc/>
    public IAccessStream Open(int vcpu) => new PatternStream(_settings, vcpu, ShareOf(vcpu));

    /// <summary>The pages a vCPU roams over: all, or its share of them, which differ by at most one page.</summary>
    public GfnRange ShareOf(int vcpu)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(vcpu);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(vcpu, Vcpus);
        if (_settings.Overlapping)
            return new GfnRange(new Gfn(0), Pages);
        return GfnRange.Between(new Gfn(Cut(vcpu)), new Gfn(Cut(vcpu + 1)));
    }

    private ulong Cut(int vcpu) => (ulong)((UInt128)Pages * (ulong)vcpu / (ulong)Vcpus);

    private static void Require<T>(bool isFine, string what, T value, string mend)
    {
        if (!isFine)
            throw new PagingException(PagingError.BadOption, "pattern", $"{what} {value}", mend);
    }
}
