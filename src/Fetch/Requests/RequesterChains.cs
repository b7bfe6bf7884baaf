namespace Userfault.Fetch;

/// <summary>
/// The requesters of a page besides the first, as linked lists in one array. Most pages have none, and the lists
/// allocate nothing once the array has grown. 0 is the empty chain.
/// </summary>
internal sealed class RequesterChains
{
    private (int Requester, int Next)[] _links = new (int, int)[16];
    private int _used = 1;
    private int _free;

    /// <summary>Appends a requester to a chain; false if the chain already contains it.</summary>
    public bool Add(ref int chain, int requester)
    {
        var last = 0;
        for (var link = chain; link != 0; link = _links[link].Next)
        {
            if (_links[link].Requester == requester)
                return false;
            last = link;
        }

        var added = Take(requester);
        if (last == 0)
            chain = added;
        else
            _links[last].Next = added;
        return true;
    }

    /// <summary>Removes the first requester of a chain.</summary>
    public bool TryTakeFirst(ref int chain, out int requester)
    {
        requester = -1;
        if (chain == 0)
            return false;
        var link = chain;
        requester = _links[link].Requester;
        chain = _links[link].Next;
        Free(link);
        return true;
    }

    /// <summary>Removes a requester from a chain; false if the chain does not contain it.</summary>
    public bool Remove(ref int chain, int requester)
    {
        var before = 0;
        for (var link = chain; link != 0; before = link, link = _links[link].Next)
        {
            if (_links[link].Requester != requester)
                continue;
            if (before == 0)
                chain = _links[link].Next;
            else
                _links[before].Next = _links[link].Next;
            Free(link);
            return true;
        }

        return false;
    }

    private int Take(int requester)
    {
        var link = _free;
        if (link != 0)
        {
            _free = _links[link].Next;
        }
        else
        {
            if (_used == _links.Length)
                Array.Resize(ref _links, _used * 2);
            link = _used++;
        }

        _links[link] = (requester, 0);
        return link;
    }

    private void Free(int link)
    {
        _links[link] = (-1, _free);
        _free = link;
    }
}
