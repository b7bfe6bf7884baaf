namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Makes a failing program short: delta debugging over the calls, then every call's own fields made plainer, as long as
/// the program still fails.
/// </summary>
public static class Shrinker
{
    public static IReadOnlyList<KvmCall> Shrink(
        IReadOnlyList<KvmCall> program,
        Func<IReadOnlyList<KvmCall>, bool> fails
    )
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(fails);
        while (true)
        {
            var shorter = Simplify(RemoveCalls(program, fails), fails);
            if (shorter.SequenceEqual(program))
                return shorter;
            program = shorter;
        }
    }

    private static List<KvmCall> RemoveCalls(IReadOnlyList<KvmCall> program, Func<IReadOnlyList<KvmCall>, bool> fails)
    {
        var current = program.ToList();
        for (var chunk = Math.Max(1, current.Count / 2); chunk > 0; chunk /= 2)
        {
            // From the end: late calls are the ones that hang on nothing.
            for (var start = current.Count - chunk; start > -chunk; start -= chunk)
            {
                var from = Math.Max(0, start);
                var shorter = current.Where((_, i) => i < from || i >= start + chunk).ToList();
                if (shorter.Count < current.Count && fails(shorter))
                    current = shorter;
            }
        }

        return current;
    }

    private static List<KvmCall> Simplify(List<KvmCall> program, Func<IReadOnlyList<KvmCall>, bool> fails)
    {
        var current = program;
        for (var i = 0; i < current.Count; i++)
        {
            foreach (var plainer in Plainer(current[i]))
            {
                if (plainer == current[i])
                    continue;
                List<KvmCall> changed = [.. current];
                changed[i] = plainer;
                if (fails(changed))
                    current = changed;
            }
        }

        return current;
    }

    private static KvmCall[] Plainer(KvmCall call) =>
        call switch
        {
            KvmCall.SetRegion region =>
            [
                region with
                {
                    Second = false,
                    MemfdOffset = 0,
                    Bitmap = default,
                },
                region with
                {
                    Bitmap = default,
                },
                region with
                {
                    Flags = 0,
                },
                region with
                {
                    Flags = region.Flags & RegionFlags.LogDirtyPages,
                },
                region with
                {
                    Size = Math.Min(region.Size, Page.Size),
                },
                region with
                {
                    Size = Math.Min(region.Size, 65 * Page.Size),
                },
                region with
                {
                    Hva = region.Hva with { Offset = 0 },
                },
                region with
                {
                    MemfdOffset = 0,
                },
            ],
            KvmCall.Run { Access: not Access.Execute } run =>
            [
                run with
                {
                    Gpa = run.Gpa & ~Page.OffsetMask,
                    Bytes = 8,
                    Value = run.Access == Access.Write ? 1UL : 0,
                },
                run with
                {
                    Access = Access.Read,
                    Value = 0,
                },
            ],
            KvmCall.ClearDirtyLog clear => [clear with { Mask = ulong.MaxValue }, clear with { Mask = 1 }],
            _ => [],
        };
}
