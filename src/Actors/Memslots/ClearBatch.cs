using System.Numerics;

namespace Userfault.Actors;

/// <summary>
/// Bits that were cleared and that other nodes are still to hear of, as word index and mask. Bounded: a full batch is to
/// be taken before more is added, and a batch that overflows says so, so that replicas ask for the range instead.
/// </summary>
public sealed class ClearBatch(int mostWords = 1024)
{
    private readonly Dictionary<ulong, ulong> _words = [];

    private bool _isQueued;

    /// <summary>Words with news.</summary>
    public int Words => _words.Count;

    /// <summary>Is it time to send?</summary>
    public bool IsFull => _words.Count >= mostWords;

    /// <summary>A bit was cleared.</summary>
    public void Add(ulong index) =>
        _words[index / 64] = _words.GetValueOrDefault(index / 64) | 1UL << (int)(index % 64);

    /// <summary>Remembers that a sending is on its way; false where one is already.</summary>
    public bool MarkQueued()
    {
        if (_isQueued) return false;
        return _isQueued = true;
    }

    /// <summary>Takes everything, in ascending order.</summary>
    public IReadOnlyList<ClearedWord> Take()
    {
        var words = _words.Select(w => new ClearedWord(w.Key, w.Value)).OrderBy(w => w.Index).ToArray();
        _words.Clear();
        _isQueued = false;
        return words;
    }

    /// <summary>How many bits are in a list of words.</summary>
    public static int Bits(IReadOnlyList<ClearedWord> words) => words.Sum(w => BitOperations.PopCount(w.Mask));
}
