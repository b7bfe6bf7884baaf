using Userfault.Cli;

namespace Userfault.Host.Tests;

/// <summary>Which turns are made, and what follows from a turn that fails; without any handler.</summary>
public class HandlerBenchTests
{
    [Fact]
    public async Task Handlers_take_turns_in_every_round()
    {
        var made = new List<(string Socket, int Touchers, int Load)>();
        var cells = await Run(
            2,
            settings =>
            {
                made.Add((settings.Socket, settings.Touchers, settings.Load));
                return new TurnResult { Touches = made.Count, ElapsedNs = 1_000_000_000 };
            }
        );
        Assert.Equal(
            [
                // A turn of each that does not count.
                ("/a", 1, 0),
                ("/b", 1, 0),
                ("/a", 1, 0),
                ("/b", 1, 0),
                ("/a", 1, 3),
                ("/b", 1, 3),
                ("/a", 8, 0),
                ("/b", 8, 0),
                ("/a", 8, 3),
                ("/b", 8, 3),
                // Another one begins.
                ("/b", 1, 0),
                ("/a", 1, 0),
                ("/b", 1, 3),
                ("/a", 1, 3),
                ("/b", 8, 0),
                ("/a", 8, 0),
                ("/b", 8, 3),
                ("/a", 8, 3),
            ],
            made
        );
        Assert.Equal(
            [("a", 1, 0), ("b", 1, 0), ("a", 1, 3), ("b", 1, 3), ("a", 8, 0), ("b", 8, 0), ("a", 8, 3), ("b", 8, 3)],
            cells.Select(c => (c.Handler, c.Touchers, c.Load))
        );
        // Ratios are of the same round: 4/3 and 11/12.
        var second = cells[1];
        Assert.Equal((11 / 12.0, 4 / 3.0), (second.Ratio.Low, second.Ratio.High), (x, y) => Near(x, y));
    }

    [Fact]
    public async Task A_handler_that_fails_gets_no_more_turns()
    {
        var turns = 0;
        var cells = await Run(
            3,
            settings =>
                settings.Socket == "/b" && ++turns == 3
                    ? TurnResult.Failed(TurnProblem.NoAnswer, "silent")
                    : new TurnResult { Touches = 1, ElapsedNs = 1 }
        );
        Assert.Equal(3, turns);
        Assert.Equal(
            [("b", 1, 3)],
            cells.Where(c => c.Failure is not null).Select(c => (c.Handler, c.Touchers, c.Load))
        );
        Assert.Equal(3 * 4, cells.Where(c => c.Handler == "a").Sum(c => c.Turns.Count));
    }

    [Fact]
    public async Task One_that_was_never_there_is_bad_input()
    {
        var e = await Assert.ThrowsAsync<CliException>(() =>
            Run(
                1,
                settings =>
                    settings.Socket == "/b"
                        ? TurnResult.Failed(TurnProblem.NotThere, "connect /b: ECONNREFUSED")
                        : new TurnResult()
            )
        );
        Assert.Contains("ECONNREFUSED", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 7)]
    [InlineData(true, 64)]
    [InlineData(false, 3)]
    public void Every_page_is_in_one_share(bool isRandom, int touchers)
    {
        var order = PageOrder.Of(1000, isRandom, 5);
        Assert.Equal(order, PageOrder.Of(1000, isRandom, 5));
        var shared = Enumerable
            .Range(0, touchers)
            .SelectMany(i => PageOrder.ShareOf(order, i, touchers).ToArray())
            .ToArray();
        Assert.Equal(order[1..], shared);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (uint)i), order.Order());
        Assert.Equal(!isRandom, order.SequenceEqual(order.Order()));
    }

    [Theory]
    [InlineData("/tmp/uffd.sock", "uffd", "/tmp/uffd.sock")]
    [InlineData("c=/tmp/x", "c", "/tmp/x")]
    [InlineData("/tmp/a=b/s", "s", "/tmp/a=b/s")]
    [InlineData("c=", "c", "")]
    public void A_socket_has_a_name(string text, string name, string socket) =>
        Assert.Equal(new HandlerName(name, socket), HandlerName.Parse(text));

    [Fact]
    public void Settings_and_results_cross_between_processes()
    {
        var settings = Turn with { Socket = "/s", Touchers = 9, Load = 2, Seed = 77 };
        var arguments = settings.ToArguments();
        Assert.Equal(settings, TurnSettings.Parse(arguments[1], arguments[3]));
        var result = new TurnResult
        {
            Touches = 5,
            StallWorst = 0.25,
            QueuedShare = 0.5,
            Message = "a\nb",
        };
        Assert.Equal(result, TurnResult.TryParse(result.ToLine()));
        Assert.Null(TurnResult.TryParse("userfault: something else"));
    }

    private static TurnSettings Turn { get; } =
        new()
        {
            Socket = "",
            Pages = 100,
            Form = GuestMemoryForm.SecretFree,
            Touchers = 0,
            Load = 0,
            Think = TimeSpan.FromMicroseconds(3),
            IsRandom = true,
            Seed = 1,
            Limit = TimeSpan.FromSeconds(1),
            Patience = TimeSpan.FromSeconds(2),
            ConnectPatience = TimeSpan.FromSeconds(3),
        };

    [Fact]
    public async Task Each_handler_gets_its_kind_of_memory()
    {
        var forms = new HashSet<(string, GuestMemoryForm)>();
        await Run(
            1,
            settings =>
            {
                forms.Add((settings.Socket, settings.Form));
                return new TurnResult { Touches = 1, ElapsedNs = 1 };
            }
        );
        Assert.Equal([("/a", GuestMemoryForm.Private), ("/b", GuestMemoryForm.SecretFree)], forms.Order());
    }

    private static Task<IReadOnlyList<BenchCell>> Run(int rounds, Func<TurnSettings, TurnResult> turn) =>
        new HandlerBench(
            new HandlerBenchPlan(
                [new HandlerName("a", "/a"), new HandlerName("b", "/b", GuestMemoryForm.SecretFree)],
                [1, 8],
                [0, 3],
                rounds,
                Turn
            ),
            (settings, _) => Task.FromResult(turn(settings)),
            static _ => { }
        ).Run(CancellationToken.None);

    private static bool Near((double, double) x, (double, double) y) =>
        Math.Abs(x.Item1 - y.Item1) < 1e-9 && Math.Abs(x.Item2 - y.Item2) < 1e-9;
}
