using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>A generated workload: every access computed when it is asked for, nothing stored.</summary>
public sealed class PatternWorkload : IWorkload
{
    private const int MostVcpus = 65536;
    private readonly PatternSettings _settings;
    private readonly PageNumbers _pages;

    /// <summary>The workload of these settings, over pages from gfn 0.</summary>
    /// <exception cref="PagingException">A setting is out of its bounds.</exception>
    public PatternWorkload(PatternSettings settings)
        : this(settings, [new GfnRange(new Gfn(0), settings?.Pages ?? 0)]) { }

    /// <summary>
    /// The workload of these settings, over a guest's memory: what lies between its ranges is never touched.
    /// </summary>
    /// <param name="settings">The settings.</param>
    /// <param name="memory">Where the guest has memory, ascending: <see cref="PatternSettings.Pages"/> in all.</param>
    /// <exception cref="PagingException">A setting is out of its bounds.</exception>
    /// <exception cref="ArgumentException"><paramref name="memory"/> has another number of pages.</exception>
    public PatternWorkload(PatternSettings settings, IReadOnlyList<GfnRange> memory)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(memory);
        Require(settings.Vcpus is > 0 and <= MostVcpus, "vCPUs", settings.Vcpus, $"give 1 to {MostVcpus}");
        Require(
            settings.Pages is > 0 and <= SyntheticImage.MostPages,
            "pages",
            settings.Pages,
            "give at least one page"
        );
        Require(
            settings.Overlapping || settings.Pages >= (ulong)settings.Vcpus,
            "pages",
            settings.Pages,
            "give a page a vCPU, or let their shares overlap"
        );
        Require(settings.WriteShare is >= 0 and <= 1, "write share", settings.WriteShare, "give 0 to 1");
        Require(settings.StridePages > 0, "stride", settings.StridePages, "give at least 1 page");
        Require(
            settings.ZipfExponent is > 0 and <= 4,
            "zipf exponent",
            settings.ZipfExponent,
            "give over 0 and up to 4"
        );
        Require(
            settings.InstructionsPerAccess >= 0,
            "instructions per access",
            settings.InstructionsPerAccess,
            "give 0 or more"
        );
        AccessTiming.Check(settings.InstructionsPerSecond);
        _settings = settings;
        _pages = new PageNumbers(memory);
        if (_pages.Count != settings.Pages)
            throw new ArgumentException($"{_pages.Count} pages instead of {settings.Pages}", nameof(memory));
        Pages = memory[^1].End.Value;
    }

    /// <inheritdoc/>
    public string Name => _settings.Kind.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    public int Vcpus => _settings.Vcpus;

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public IAccessStream Open(int vcpu)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(vcpu);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(vcpu, Vcpus);
        // Shares differ by at most one page.
        var (first, end) = _settings.Overlapping ? (0, _pages.Count) : (Cut(vcpu), Cut(vcpu + 1));
        return new PatternStream(_settings, vcpu, _pages, first, end - first);
    }

    private ulong Cut(int vcpu) => (ulong)((UInt128)_pages.Count * (ulong)vcpu / (ulong)Vcpus);

    private static void Require<T>(bool isFine, string what, T value, string mend)
    {
        if (!isFine)
            throw new PagingException(PagingError.BadOption, "pattern", $"{what} {value}", mend);
    }
}
