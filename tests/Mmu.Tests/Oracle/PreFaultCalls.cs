namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// KVM_PRE_FAULT_MEMORY between the calls of a program, for kernels that have it. From random numbers of its own: the
/// program's other calls stay what they are.
/// </summary>
/// <param name="seed">The program's seed.</param>
/// <param name="slots">What the slots are believed to be.</param>
internal sealed class PreFaultCalls(int seed, IReadOnlyDictionary<uint, KvmCall.SetRegion> slots)
{
    private readonly Random _random = new(seed ^ 0x70_72_65);

    /// <summary>The call to insert next, or null.</summary>
    public KvmCall.PreFault? Next()
    {
        if (slots.Count == 0 || !Chance(16))
            return null;
        var region = slots.Values.OrderBy(slot => slot.Slot).ElementAt(_random.Next(slots.Count));
        var pages = (long)(region.Size >> Page.Shift);
        var gpa = region.Gpa + ((ulong)_random.NextInt64(Math.Min(pages, 80)) << Page.Shift);
        // A few pages, and now and then more than the slot has left.
        var size = (ulong)_random.Next(1, Chance(4) ? 600 : 6) << Page.Shift;
        return _random.Next(16) switch
        {
            0 => new KvmCall.PreFault(gpa + 8, size, 0),
            1 => new KvmCall.PreFault(gpa, size + 1, 0),
            2 => new KvmCall.PreFault(gpa, 0, 0),
            3 => new KvmCall.PreFault(gpa, size, 1),
            4 => new KvmCall.PreFault(gpa, ulong.MaxValue - gpa + 1, 0),
            5 => new KvmCall.PreFault(region.Gpa + region.Size, size, 0),
            _ => new KvmCall.PreFault(gpa, size, 0),
        };
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;
}
