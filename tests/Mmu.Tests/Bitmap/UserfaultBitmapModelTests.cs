namespace Userfault.Mmu.Tests;

/// <summary>Random operations on the bitmap and on an array of bool; every answer must agree.</summary>
public unsafe class UserfaultBitmapModelTests
{
    private const int OperationsPerLength = 50_000;

    public static TheoryData<int, int> SeedsAndLengths
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (var pages in new[] { 0, 1, 63, 64, 65, 130, 511, 512, 513, 700, 1024, 3000 })
            {
                data.Add(7919 + pages, pages);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(SeedsAndLengths))]
    public void Bitmap_and_array_agree(int seed, int pages)
    {
        using var memory = new GuardedWords((ulong)pages);
        using var bitmap = UserfaultBitmap.Over(memory.Words, (ulong)pages);
        using var other = UserfaultBitmap.Allocate((ulong)pages);
        var run = new Run(new Random(seed), bitmap, other, pages);
        for (var step = 0; step < OperationsPerLength; step++)
        {
            var failure = run.Step() ?? (step % 64 == 0 ? run.Compare() : null) ?? memory.Damage();
            if (failure is not null)
                Assert.Fail($"seed {seed}, {pages} pages, step {step}: {failure}");
        }
        Assert.Null(run.Compare());
    }

    private sealed class Run(Random random, UserfaultBitmap bitmap, UserfaultBitmap other, int pages)
    {
        private readonly bool[] _model = new bool[pages];
        private readonly bool[] _otherModel = new bool[pages];

        /// <summary>One random operation on both; null, or what differs.</summary>
        public string? Step()
        {
            var start = random.Next(pages + 1);
            // Short, word-sized and long runs are all frequent.
            var count = Math.Min(
                pages - start,
                random.Next(
                    random.Next(3) switch
                    {
                        0 => 4,
                        1 => 140,
                        _ => pages + 1,
                    }
                )
            );
            return random.Next(12) switch
            {
                0 => One(
                    start,
                    (b, i) =>
                    {
                        b.Set(i);
                        return 0UL;
                    },
                    true,
                    "Set"
                ),
                1 => One(start, (b, i) => b.Clear(i) ? 1UL : 0UL, false, "Clear"),
                2 => Check("IsSet", start == pages || bitmap.IsSet((ulong)start) == _model[start]),
                3 => SetRange(start, count),
                4 => Many(start, count, bitmap.ClearRange((ulong)start, (ulong)count), "ClearRange"),
                5 => Check("Count", bitmap.Count((ulong)start, (ulong)count) == CountOf(_model, start, count)),
                6 => Check("FindNextSet", bitmap.FindNextSet((ulong)start) == Next(start, i => _model[i])),
                7 => Check("FindNextClear", bitmap.FindNextClear((ulong)start) == Next(start, i => !_model[i])),
                8 => ApplyClear(),
                9 => OtherStep(start, count),
                10 => Check(
                    "FindNextDifference",
                    bitmap.FindNextDifference(other, (ulong)start) == Next(start, i => _model[i] && !_otherModel[i])
                ),
                _ => Differences(),
            };
        }

        public string? Compare()
        {
            for (var i = 0; i < pages; i++)
            {
                if (bitmap.IsSet((ulong)i) != _model[i])
                    return $"bit {i} is {!_model[i]}";
                if (other.IsSet((ulong)i) != _otherModel[i])
                    return $"bit {i} of the other bitmap is {!_otherModel[i]}";
            }
            return Check("Count()", bitmap.Count() == CountOf(_model, 0, pages));
        }

        private string? One(int index, Func<UserfaultBitmap, ulong, ulong> act, bool value, string name)
        {
            if (index == pages)
                return null;
            var expected = !value && _model[index] ? 1UL : 0UL;
            _model[index] = value;
            return Check(name, act(bitmap, (ulong)index) == expected);
        }

        private string? SetRange(int start, int count)
        {
            if (random.Next(200) == 0)
                (start, count) = (0, pages);
            if (count == pages)
                bitmap.SetAll();
            else
                bitmap.SetRange((ulong)start, (ulong)count);
            Array.Fill(_model, true, start, count);
            return null;
        }

        private string? Many(int start, int count, ulong answer, string name)
        {
            var expected = CountOf(_model, start, count);
            Array.Fill(_model, false, start, count);
            return Check(name, answer == expected);
        }

        private string? ApplyClear()
        {
            if (pages == 0)
                return null;
            var word = random.Next((pages + 63) / 64);
            var mask = (ulong)random.NextInt64() << random.Next(2);
            var expected = 0UL;
            for (var bit = 0; bit < 64 && (word * 64) + bit < pages; bit++)
            {
                if ((mask >> bit & 1) == 0 || !_model[(word * 64) + bit])
                    continue;
                expected |= 1UL << bit;
                _model[(word * 64) + bit] = false;
            }
            return Check("ApplyClear", bitmap.ApplyClear((ulong)word, mask) == expected);
        }

        private string? OtherStep(int start, int count)
        {
            var value = random.Next(2) == 0;
            if (value)
                other.SetRange((ulong)start, (ulong)count);
            else
                other.ClearRange((ulong)start, (ulong)count);
            Array.Fill(_otherModel, value, start, count);
            return null;
        }

        private string? Differences()
        {
            var expected = 0UL;
            for (var i = 0; i < pages; i++)
                expected += _model[i] && !_otherModel[i] ? 1UL : 0UL;
            if (bitmap.CountDifference(other) != expected)
                return "CountDifference";
            if (random.Next(20) != 0)
                return null;
            // Into the right operand, into the left, at random.
            var intoLeft = random.Next(2) == 0;
            UserfaultBitmap.Difference(bitmap, other, intoLeft ? bitmap : other);
            var target = intoLeft ? _model : _otherModel;
            for (var i = 0; i < pages; i++)
                target[i] = _model[i] && !_otherModel[i];
            return Compare();
        }

        private ulong Next(int from, Func<int, bool> wanted)
        {
            while (from < pages && !wanted(from))
                from++;
            return (ulong)from;
        }

        private static ulong CountOf(bool[] model, int start, int count)
        {
            var sum = 0UL;
            for (var i = start; i < start + count; i++)
                sum += model[i] ? 1UL : 0UL;
            return sum;
        }

        private static string? Check(string name, bool agrees) => agrees ? null : name;
    }
}
