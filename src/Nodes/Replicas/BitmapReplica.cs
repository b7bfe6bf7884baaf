using System.Numerics;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// Another node's copy of a userfault bitmap. Bits are only ever cleared, so batches may arrive twice, late or in any
/// order and the replica still converges. A missing batch shows as a gap in the sequence, after which the words are
/// requested. One writer; <see cref="IsMissing"/> and <see cref="AnyMissing"/> may be called from any thread.
/// </summary>
/// <remarks>
/// A stale bit is set although its page is in place, never the other way round: a decision based on the replica may do
/// too much work, but never too little.
/// </remarks>
public sealed class BitmapReplica
{
    private readonly ulong[] _words;
    private readonly ulong _pages;
    private ulong _whole;
    private ulong _runStart;
    private ulong _seen;
    private ulong _reported;
    private ulong _repairFrom;
    private bool _hasRepairFrom;

    /// <summary>A replica that knows of no page in place.</summary>
    /// <param name="pages">Pages that the bitmap covers.</param>
    public BitmapReplica(ulong pages)
    {
        _pages = pages;
        _words = new ulong[(pages + 63) / 64];
        Array.Fill(_words, ulong.MaxValue);
        if (pages % 64 != 0)
            _words[^1] = (1UL << (int)(pages % 64)) - 1;
    }

    /// <summary>The replica includes every batch up to this one.</summary>
    public ulong Sequence => _whole;

    /// <summary>Is a range requested, or about to be?</summary>
    public bool IsRepairing { get; private set; }

    /// <summary>Number of repairs that a gap has caused.</summary>
    public int Repairs { get; private set; }

    /// <summary>The next word to request while <see cref="IsRepairing"/>.</summary>
    public ulong NextWord { get; private set; }

    /// <summary>Number of words in the bitmap.</summary>
    public ulong WordCount => (ulong)_words.Length;

    /// <summary>Pages that are missing, as far as the replica knows.</summary>
    public ulong Missing
    {
        get
        {
            ulong missing = 0;
            for (var i = 0; i < _words.Length; i++)
                missing += (ulong)BitOperations.PopCount(Volatile.Read(ref _words[i]));
            return missing;
        }
    }

    /// <summary>
    /// Is the page missing, as far as the replica knows? Acquire. True for pages that it does not cover.
    /// </summary>
    public bool IsMissing(ulong index) =>
        index >= _pages || (Volatile.Read(ref _words[index / 64]) & (1UL << (int)(index % 64))) != 0;

    /// <summary>Is any page of a range missing, as far as the replica knows?</summary>
    public bool AnyMissing(ulong start, ulong count)
    {
        for (var i = start; i < start + count; i++)
        {
            if (IsMissing(i))
                return true;
        }

        return false;
    }

    /// <summary>
    /// A batch has arrived. True if it shows that another one was missed: request words from <see cref="NextWord"/> on.
    /// </summary>
    public bool Apply(BitsCleared cleared)
    {
        ArgumentNullException.ThrowIfNull(cleared);
        foreach (var word in cleared.Words)
            Clear(word.Index, word.Mask);
        var before = cleared.Sequence - Math.Min(cleared.Sequence, cleared.Batches);
        if (cleared.Sequence <= _seen)
            return false;
        if (before > _seen)
            _runStart = before;
        _seen = cleared.Sequence;
        if (_runStart <= _whole)
            _whole = _seen;
        return _whole < _seen && BeginRepair();
    }

    /// <summary>
    /// The owner has reported its sequence number. True if the replica is still behind the previous report: batches in
    /// flight at that time have had time to arrive, and after the last batch of a stream no later one shows the gap.
    /// </summary>
    public bool OnReport(ulong sequence)
    {
        var isBehind = _whole < _reported;
        _reported = sequence;
        if (IsRepairing)
            return true;
        return isBehind && BeginRepair();
    }

    /// <summary>Requested words have arrived. True if more must be requested.</summary>
    public bool OnRange(BitmapRange range)
    {
        ArgumentNullException.ThrowIfNull(range);
        if (!IsRepairing || range.FirstWord != NextWord || range.Words.Count == 0)
            return IsRepairing;
        // The first answer is the oldest: every later answer includes all batches up to it.
        if (!_hasRepairFrom)
            (_repairFrom, _hasRepairFrom) = (range.Sequence, true);
        for (var i = 0; i < range.Words.Count; i++)
            Clear(range.FirstWord + (ulong)i, ~range.Words[i]);
        NextWord += (ulong)range.Words.Count;
        SkipWhole();
        if (NextWord < WordCount)
            return true;
        IsRepairing = false;
        _whole = Math.Max(_whole, _repairFrom);
        if (_runStart <= _whole)
            _whole = Math.Max(_whole, _seen);
        _seen = Math.Max(_seen, _whole);
        return _whole < _seen && BeginRepair();
    }

    private bool BeginRepair()
    {
        if (IsRepairing)
            return false;
        (IsRepairing, NextWord, _hasRepairFrom) = (true, 0, false);
        Repairs++;
        return true;
    }

    // Words without a set bit cannot change any more. They need not be requested, once an answer has given a sequence
    // number.
    private void SkipWhole()
    {
        while (NextWord < WordCount && _words[NextWord] == 0)
            NextWord++;
    }

    private void Clear(ulong word, ulong mask)
    {
        if (word < WordCount)
            Volatile.Write(ref _words[word], _words[word] & ~mask);
    }
}
