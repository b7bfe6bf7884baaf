using Xunit.Abstractions;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// No released kernel has the USERFAULT flag. The programs that try it are therefore run on the model beside a second
/// one, which shares no code with it: both must answer every call alike. Needs no kernel.
/// </summary>
public sealed class NaiveKvmTests(ITestOutputHelper output)
{
    private const int Seeds = 160;

    private static readonly KernelFacts Flag = KernelFacts.Typical with { HasUserfault = true };

    private static readonly (string Name, KernelFacts Facts)[] Kernels =
    [
        ("with the flag", Flag),
        ("without the flag", KernelFacts.Typical),
        ("6.12: tables are dropped", Flag with { Recovery = HugePageRecovery.Drop, AddressSpaces = 2 }),
        ("nothing is recovered", Flag with { Recovery = HugePageRecovery.None }),
        ("before 6.12: no quirk", Flag with { HasZapQuirk = false }),
        ("one slot is zapped", Flag with { ZapsAllSlots = false }),
        ("huge leaves are protected on each clear", Flag with { ProtectsHugeLeavesOnClear = true }),
        ("split when written", Flag with { SplitsEagerly = false }),
        ("hardware dirty log", Flag with { UsesHardwareDirtyLog = true }),
        ("with KVM_PRE_FAULT_MEMORY", Flag with { HasPreFault = true, Recovery = HugePageRecovery.Drop }),
        ("exits on error pages", Flag with { ExitsOnErrorPage = true }),
        ("before 6.8: the older call", KernelFacts.Typical with { HasRegion2 = false, HasMemfd = false }),
    ];

    public static TheoryData<string> Names => new(Kernels.Select(kernel => kernel.Name));

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void The_model_answers_as_a_second_one_does(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        var facts = Kernels.Single(kernel => kernel.Name == name).Facts;
        using var layout = new HostLayout();
        var comparison = new Comparison(() => new NaiveKvm(layout, facts), () => new ModelKvm(layout, facts), facts);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var found = Finding.Search(seed, comparison, facts);
            Assert.True(found is null, found);
        }

        foreach (var (feature, count) in comparison.Features)
            output.WriteLine($"tried {count} times: {feature}");
        Assert.Equal(facts.HasUserfault, comparison.Answered.ContainsKey("Run MemoryFault"));
        Assert.Equal(
            facts.HasUserfault ? UserfaultFeatures.Names.Order(StringComparer.Ordinal) : [],
            comparison.Features.Keys
        );
    }

    /// <summary>What makes kernels differ has to show in programs, or the comparison covers it only by name.</summary>
    [SkippableTheory]
    [InlineData("tables are dropped")]
    [InlineData("nothing is recovered")]
    [InlineData("huge leaves are protected on each clear")]
    [InlineData("one slot is zapped")]
    [InlineData("no quirk")]
    [InlineData("exits on error pages")]
    public void Kernels_that_differ_are_told_apart(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        var facts = KernelFacts.Typical;
        var other = name switch
        {
            "tables are dropped" => facts with { Recovery = HugePageRecovery.Drop },
            "nothing is recovered" => facts with { Recovery = HugePageRecovery.None },
            "huge leaves are protected on each clear" => facts with { ProtectsHugeLeavesOnClear = true },
            "one slot is zapped" => facts with { ZapsAllSlots = false },
            "no quirk" => facts with { HasZapQuirk = false },
            _ => facts with { ExitsOnErrorPage = true },
        };
        using var layout = new HostLayout();
        var comparison = new Comparison(() => new NaiveKvm(layout, other), () => new ModelKvm(layout, facts), facts);
        var found = Enumerable
            .Range(1, 300)
            .FirstOrDefault(seed => comparison.Run(ProgramGenerator.Generate(seed, 240, facts)) is not null);
        output.WriteLine($"found by seed {found}");
        Assert.NotEqual(0, found);
    }

    public static TheoryData<NaiveDefect> Defects =>
        new(Enum.GetValues<NaiveDefect>().Where(defect => defect != NaiveDefect.None));

    /// <summary>A rule of the flag that one side gets wrong has to show, too.</summary>
    [SkippableTheory]
    [MemberData(nameof(Defects))]
    public void A_rule_of_the_flag_that_is_broken_shows(NaiveDefect defect)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        using var layout = new HostLayout();
        var comparison = new Comparison(
            () => new NaiveKvm(layout, Flag, defect),
            () => new ModelKvm(layout, Flag),
            Flag
        );
        var found = Enumerable
            .Range(1, 300)
            .FirstOrDefault(seed => comparison.Run(ProgramGenerator.Generate(seed, 240, Flag)) is not null);
        output.WriteLine($"found by seed {found}");
        Assert.NotEqual(0, found);
    }
}
