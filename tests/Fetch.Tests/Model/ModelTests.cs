using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests.Model;

/// <summary>The engine against <see cref="NaiveFetch"/>, under seeds: requesters that come and go, and sources of every kind.</summary>
public sealed class ModelTests
{
    private const int Seeds = 400;
    private const int Steps = 400;
    private const int Pages = 96;
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Every_promise_is_kept_whatever_sources_and_requesters_do()
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            try
            {
                new Run(seed).Play();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly FetchSettings _settings;
        private readonly FetchCore _core;
        private readonly NaiveFetch _model;
        private readonly PageBatchPool _pool = new();
        private readonly List<Asked> _asked = [];
        private readonly HashSet<int> _up = [];
        private long _nowNs;

        public Run(int seed)
        {
            _random = new Random(seed);
            _settings = new FetchSettings
            {
                RequestPages = OneOf(1, 3, 16),
                WindowPages = OneOf(8, 40, 1000),
                BackgroundWindowPages = OneOf(4, 16, 1000),
                TimeoutNs = OneOf(0, 20, 100) * Millisecond,
                Hedge = _random.Next(3) > 0,
                HedgePercent = OneOf(5, 50),
                MaxBadAnswers = OneOf(2, 8, 1000),
                ForgiveAnswers = OneOf(2, 64),
            };
            _core = new FetchCore(_settings);
            _model = new NaiveFetch(_settings);
            for (var i = _random.Next(1, 4); i > 0; i--) AddSource();
        }

        public void Play()
        {
            for (var step = 0; step < Steps; step++)
            {
                Step();
                Settle();
            }

            Heal();
        }

        private void Step()
        {
            _nowNs += _random.Next(2 * (int)Millisecond);
            switch (_random.Next(20))
            {
                case < 6:
                    Want();
                    break;
                case < 12:
                    Answer(isHostile: _random.Next(4) == 0);
                    break;
                case < 15:
                    _core.OnTick(_nowNs);
                    break;
                case 15:
                    Fail();
                    break;
                case 16:
                    if (_up.Count < 4) AddSource();
                    break;
                case 17:
                    if (_random.Next(4) == 0 && _up.Count > 0) _core.RemoveSource(OneOf([.. _up]));
                    break;
                case 18:
                    Abandon();
                    break;
                default:
                    Other();
                    break;
            }
        }

        // All sources answer as they should: everything that anybody wants comes.
        private void Heal()
        {
            if (_up.Count == 0) AddSource();
            Settle();
            for (var round = 0; _model.Wanted > 0 || _core.RequestsOpen > 0; round++)
            {
                Assert.True(round < 10_000, $"{_model.Wanted} pages never come");
                if (_up.Count == 0) AddSource();
                if (_model.Open.FirstOrDefault() is { } open) Answer(open, open.Pages, isLast: true);
                _nowNs += 1000;
                Settle();
            }

            Assert.Equal((0, 0), (_core.PagesHeld, _core.BackgroundHeld));
        }

        private void Want()
        {
            var range = new GfnRange(new Gfn((ulong)_random.Next(Pages)), (ulong)_random.Next(1, 9));
            var priority = _random.Next(2) == 0 ? FetchPriority.Demand : FetchPriority.Background;
            var requester = _random.Next(3);
            _core.Want(range, priority, requester, _nowNs);
            for (ulong i = 0; i < range.Count; i++) _model.Want(range.Start.Value + i, priority, requester);
        }

        private void Abandon()
        {
            var range = new GfnRange(new Gfn((ulong)_random.Next(Pages)), (ulong)_random.Next(1, 9));
            var requester = _random.Next(3);
            _core.Abandon(range, requester);
            for (ulong i = 0; i < range.Count; i++) _model.Abandon(range.Start.Value + i, requester);
        }

        private void Other()
        {
            if (_random.Next(8) == 0)
            {
                _core.CancelBackground();
                _model.CancelBackground();
                return;
            }

            var page = (ulong)_random.Next(Pages);
            _core.Promote(new Gfn(page), _nowNs);
            _model.Promote(page);
        }

        private void Answer(bool isHostile)
        {
            if (_asked.Count == 0) return;
            // One of those that are not over, or any that ever was: late answers.
            var asked = isHostile ? OneOf([.. _asked]) : _model.Open.ElementAtOrDefault(_random.Next(Math.Max(1, _model.Open.Count())));
            if (asked is null) return;
            IEnumerable<ulong> pages = asked.Pages;
            var isLast = true;
            if (isHostile)
            {
                pages = _random.Next(5) switch
                {
                    0 => pages.Reverse(),
                    1 => pages.Concat(pages),
                    2 => pages.Where(_ => _random.Next(2) == 0),
                    3 => pages.Prepend((ulong)_random.Next(Pages + 20)),
                    _ => [],
                };
                isLast = _random.Next(3) > 0;
            }
            else if (_random.Next(3) == 0)
            {
                // As much of it as has come by now.
                (pages, isLast) = (pages.Take(_random.Next(asked.Pages.Length + 1)), false);
            }

            Answer(asked, pages, isLast);
        }

        private void Answer(Asked asked, IEnumerable<ulong> pages, bool isLast)
        {
            var batch = _pool.Rent(asked.Id);
            foreach (var page in pages) batch.Add(PageContent.Zero(new Gfn(page)));
            batch.IsLast = isLast;
            _core.OnAnswer(batch, _nowNs);
            Perform();
            if (isLast) _model.OnOver(asked.Id);
        }

        private void Fail()
        {
            if (_model.Open.FirstOrDefault() is not { } asked) return;
            var failure = OneOf(FetchFailure.SourceLost, FetchFailure.BadAnswer, FetchFailure.NotNeeded, FetchFailure.NotNeeded);
            if (failure == FetchFailure.NotNeeded) _model.OnNotNeeded(asked);
            _core.OnFailed(asked.Id, failure);
            Perform();
            _model.OnOver(asked.Id);
        }

        private void AddSource() => Assert.True(_up.Add(_core.AddSource(isSpare: _random.Next(4) == 0)));

        private void Settle()
        {
            Perform();
            _core.Decide(_nowNs);
            Perform();
            _model.Settled(_core.HasSource);
            Assert.Equal((_model.Wanted, _model.Background), (_core.PagesHeld, _core.BackgroundHeld));
            if (_up.Count > 0 || _random.Next(3) > 0) return;
            _core.FailAll();
            Perform();
            Assert.Equal(0, _model.Wanted);
        }

        private void Perform()
        {
            while (_core.TryTakeEffect(out var effect))
            {
                switch (effect.Kind)
                {
                    case FetchEffectKind.Ask:
                        var request = effect.Request!;
                        var asked = new Asked(request.Id, request.Source, request.Priority, request.IsHedge, request.Ranges.ToArray());
                        _asked.Add(asked);
                        _model.OnAsked(asked, _up.Contains(asked.Source));
                        break;
                    case FetchEffectKind.Cancel:
                        _model.OnOver(effect.RequestId);
                        break;
                    case FetchEffectKind.GiveUp:
                        Assert.True(_up.Remove(effect.Source));
                        _model.OnSourceGone(effect.Source);
                        break;
                    case FetchEffectKind.Deliver:
                        foreach (var page in effect.Batch!.Pages) _model.OnDelivered(page.Gfn.Value, effect.Requester);
                        effect.Batch.Release();
                        break;
                    case FetchEffectKind.NotSent:
                        _model.OnNotSent(effect.Gfn.Value, effect.Requester);
                        break;
                    default:
                        Assert.False(_core.HasSource);
                        _model.OnFailed(effect.Gfn.Value, effect.Requester);
                        break;
                }
            }
        }

        private T OneOf<T>(params T[] values) => values[_random.Next(values.Length)];
    }
}
