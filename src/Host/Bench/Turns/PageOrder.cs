namespace Userfault.Cli;

/// <summary>In which order pages are touched, each once: the same for every handler under one seed.</summary>
internal static class PageOrder
{
    /// <summary>All pages; shuffled (Fisher and Yates) where the order is random.</summary>
    public static uint[] Of(ulong pages, bool isRandom, ulong seed)
    {
        var order = new uint[pages];
        for (ulong i = 0; i < pages; i++)
        {
            order[i] = (uint)i;
            if (!isRandom)
                continue;
            var other = GuestStamps.Mix(seed, i) % (i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    /// <summary>A toucher's share: neighbours in the order, of all but the first page.</summary>
    public static ReadOnlyMemory<uint> ShareOf(uint[] order, int toucher, int touchers)
    {
        var count = (long)order.Length - 1;
        var from = 1 + (int)(count * toucher / touchers);
        return order.AsMemory(from, 1 + (int)(count * (toucher + 1) / touchers) - from);
    }
}
