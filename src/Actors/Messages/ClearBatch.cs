using System.Numerics;

namespace Userfault.Actors;

/// <summary>
/// Cleared bits that have not been sent to other nodes yet, as word index and mask. A full batch must be taken before
/// more is added.
/// </summary>
public sealed class ClearBatch(int mostWords = 1024)
{
    private readonly Dictionary<ulong, ulong> _words = [];
    private bool _isQueued;

    /// <summary>Number of words with cleared bits.</summary>
    public int Words => _words.Count;

    /// <summary>Must the batch be sent now?</summary>
    public bool IsFull => _words.Count >= mostWords;

    /// <summary>Number of batches taken.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>A bit was cleared.</summary>
    public void Add(ulong index) => Add(index / 64, 1UL << (int)(index % 64));

    /// <summary>Bits of a word were cleared.</summary>
    public void Add(ulong word, ulong mask) => _words[word] = _words.GetValueOrDefault(word) | mask;

    /// <summary>Records that a send is queued; false if one is queued already.</summary>
    public bool MarkQueued()
    {
        if (_isQueued)
            return false;
        return _isQueued = true;
    }

    /// <summary>Takes everything, in ascending order.</summary>
    public IReadOnlyList<ClearedWord> Take()
    {
        var words = new ClearedWord[_words.Count];
        var i = 0;
        foreach (var (index, mask) in _words)
            words[i++] = new ClearedWord(index, mask);
        Array.Sort(words, static (a, b) => a.Index.CompareTo(b.Index));
        _words.Clear();
        _isQueued = false;
        Sequence++;
        return words;
    }

    /// <summary>Number of bits in a list of words.</summary>
    public static int Bits(IReadOnlyList<ClearedWord> words) => words.Sum(w => BitOperations.PopCount(w.Mask));
}
