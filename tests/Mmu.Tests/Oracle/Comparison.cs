namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Runs a program against two VMs in step and finds the first call that they answer differently. Calls that a stock
/// kernel cannot answer are made on neither side, and counted.
/// </summary>
public sealed class Comparison(Func<IKvm> reference, Func<IKvm> subject, KernelFacts facts)
{
    private readonly SortedDictionary<string, int> _leftOut = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _features = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _answered = new(StringComparer.Ordinal);

    /// <summary>How many calls were left out, by reason.</summary>
    public IReadOnlyDictionary<string, int> LeftOut => _leftOut;

    /// <summary>How many calls tried which feature of the USERFAULT flag.</summary>
    public IReadOnlyDictionary<string, int> Features => _features;

    /// <summary>How many calls were compared, by kind and errno: what the programs really covered.</summary>
    public IReadOnlyDictionary<string, int> Answered => _answered;

    /// <summary>The first difference in a program, or null.</summary>
    public Difference? Run(IReadOnlyList<KvmCall> program)
    {
        using var one = reference();
        using var other = subject();
        var slots = new SlotLedger(facts);
        for (var i = 0; i < program.Count; i++)
        {
            var call = slots.AsUnderstood(program[i]);
            if (slots.WhyLeftOut(call) is { } reason)
            {
                Count(_leftOut, reason);
                continue;
            }

            var expected = one.Do(call);
            var actual = Try(other, call);
            if (expected != actual)
                return new Difference(i, call, expected, actual);
            foreach (var feature in slots.Features(call))
                Count(_features, feature);
            slots.Note(call, expected);
            Count(
                _answered,
                $"{call.GetType().Name} {(expected.Exit != AnswerExit.None ? expected.Exit : (Errno)expected.Errno)}"
            );
        }

        return null;
    }

    /// <summary>
    /// A model that throws has answered wrongly, and the program that makes it throw is worth shrinking.
    /// </summary>
    private static KvmAnswer Try(IKvm vm, KvmCall call)
    {
        try
        {
            return vm.Do(call);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return new KvmAnswer(0, Failure: $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    private static void Count(SortedDictionary<string, int> counts, string key) =>
        counts[key] = counts.GetValueOrDefault(key) + 1;
}
