namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Models with a defect planted: the oracle must find each of them and print a short program. Needs no kernel.
/// </summary>
public sealed class MutantTests
{
    private const int MostSeeds = 300;

    private static readonly Mutation[] Mutations =
    [
        new(
            "an overlap is EINVAL",
            2,
            "model:  EINVAL",
            (call, answer) =>
                call is KvmCall.SetRegion && answer.Errno == (int)Errno.EEXIST
                    ? new KvmAnswer((int)Errno.EINVAL)
                    : answer
        ),
        new(
            "a log with one page is empty",
            3,
            "model:  0 dirty [0]",
            (_, answer) => answer.Bitmap == "1" ? answer with { Bitmap = "0" } : answer
        ),
        new(
            "a write to READONLY memory is made",
            2,
            "model:  0",
            (call, answer) =>
                call is KvmCall.Run { Access: Access.Write, Gpa: < 96 << Page.Shift } && answer.Exit == AnswerExit.Mmio
                    ? KvmAnswer.Success
                    : answer
        ),
        new(
            "clearing a log throws",
            2,
            "model:  InvalidOperationException",
            (call, answer) =>
                call is KvmCall.ClearDirtyLog && answer.Errno == 0
                    ? throw new InvalidOperationException("planted")
                    : answer
        ),
        new(
            "a set bit is not looked at",
            3,
            "model:  0 value",
            (call, answer) =>
                call is KvmCall.Run { Access: Access.Read } && answer.ExitDetail == 1 << 4
                    ? new KvmAnswer(0, 1)
                    : answer
        ),
        new(
            "the second option of manual protection is refused",
            1,
            "model:  EINVAL",
            (call, answer) => call is KvmCall.EnableCap { Argument: 3 } ? new KvmAnswer((int)Errno.EINVAL) : answer
        ),
    ];

    public static TheoryData<string> Names => new(Mutations.Select(mutation => mutation.Name));

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_planted_defect_is_found_and_shrunk(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        var mutation = Mutations.Single(candidate => candidate.Name == name);
        using var layout = new HostLayout();
        var facts = KernelFacts.Typical with { HasUserfault = true };
        IKvm NewModel() => new ModelKvm(layout, facts);
        var comparison = new Comparison(NewModel, () => new Mutant(NewModel(), mutation.Bend), facts);
        var report = Enumerable
            .Range(1, MostSeeds)
            .Select(seed => Finding.Search(seed, comparison, facts))
            .FirstOrDefault(found => found is not null);
        Assert.NotNull(report);
        Assert.Contains(mutation.Reports, report, StringComparison.Ordinal);
        Assert.InRange(LengthOf(report), 1, mutation.MostCalls);
    }

    /// <summary>What only trades time shows in no answer: the same programs, on models that differ in it.</summary>
    [SkippableTheory]
    [InlineData("nothing")]
    [InlineData("USERFAULT and two address spaces")]
    [InlineData("hardware dirty log")]
    [InlineData("no eager split")]
    public void Models_that_differ_in_nothing_visible_agree(string name)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the host memory is mapped by Linux calls");
        using var layout = new HostLayout();
        var facts = KernelFacts.Typical;
        if (name.StartsWith("USERFAULT", StringComparison.Ordinal))
            facts = facts with { HasUserfault = true, AddressSpaces = 2 };
        // A huge leaf that took the place of protected ones shows its protection, and hardware protects none.
        if (name == "hardware dirty log")
            facts = facts with { Recovery = HugePageRecovery.Drop };
        var other = name switch
        {
            "hardware dirty log" => facts with { UsesHardwareDirtyLog = true },
            "no eager split" => facts with { SplitsEagerly = false },
            _ => facts,
        };
        var comparison = new Comparison(() => new ModelKvm(layout, facts), () => new ModelKvm(layout, other), facts);
        for (var seed = 1; seed <= 60; seed++)
        {
            var found = Finding.Search(seed, comparison, facts);
            Assert.True(found is null, found);
        }

        Assert.True(comparison.Answered.Values.Sum() > 2000);
        Assert.Equal(facts.HasUserfault, comparison.Answered.ContainsKey("Run MemoryFault"));
    }

    [Fact]
    public void A_seed_makes_one_program()
    {
        var one = ProgramGenerator.Generate(7, Finding.ProgramLength, KernelFacts.Typical);
        Assert.Equal(one, ProgramGenerator.Generate(7, Finding.ProgramLength, KernelFacts.Typical));
        Assert.NotEqual(one, ProgramGenerator.Generate(8, Finding.ProgramLength, KernelFacts.Typical));
    }

    /// <summary>The report begins with "seed N: M calls".</summary>
    private static int LengthOf(string report) => int.Parse(report.Split(' ')[2]);

    private sealed record Mutation(
        string Name,
        int MostCalls,
        string Reports,
        Func<KvmCall, KvmAnswer, KvmAnswer> Bend
    );

    private sealed class Mutant(IKvm inner, Func<KvmCall, KvmAnswer, KvmAnswer> bend) : IKvm
    {
        public KvmAnswer Do(KvmCall call) => bend(call, inner.Do(call));

        public void Dispose() => inner.Dispose();
    }
}
