namespace Userfault.Cli;

/// <summary>
/// Puts handlers through their turns: in every round each number of touchers, without and with load, and for each of
/// these the handlers one after the other, so that what the machine does meanwhile meets all of them.
/// </summary>
/// <param name="plan">What to measure.</param>
/// <param name="makeTurn">Makes a turn.</param>
/// <param name="say">A line of progress.</param>
internal sealed class HandlerBench(
    HandlerBenchPlan plan,
    Func<TurnSettings, CancellationToken, Task<TurnResult>> makeTurn,
    Action<string> say
)
{
    private readonly Dictionary<(string Handler, int Touchers, int Load), List<TurnResult>> _turns = [];
    private readonly HashSet<string> _failed = [];

    /// <summary>Makes all turns. A handler that fails gets no more of them.</summary>
    /// <exception cref="CliException">A handler is not there at the start.</exception>
    public async Task<IReadOnlyList<BenchCell>> Run(CancellationToken cancelled)
    {
        await WarmUp(cancelled);
        for (var round = 0; round < plan.Rounds && _failed.Count < plan.Handlers.Count; round++)
        {
            say($"round {round + 1} of {plan.Rounds}");
            foreach (var touchers in plan.Touchers)
            {
                foreach (var load in plan.Loads)
                    await Turns(round, touchers, load, cancelled);
            }
        }
        return
        [
            .. from touchers in plan.Touchers
            from load in plan.Loads
            from handler in plan.Handlers
            where _turns.ContainsKey((handler.Name, touchers, load))
            select new BenchCell(
                handler.Name,
                touchers,
                load,
                _turns[(handler.Name, touchers, load)],
                _turns.GetValueOrDefault((plan.Handlers[0].Name, touchers, load)) ?? []
            ),
        ];
    }

    // A turn of each, not counted: the page cache, and the first time of everything. Its failure counts.
    private async Task WarmUp(CancellationToken cancelled)
    {
        foreach (var handler in plan.Handlers)
        {
            var result = await makeTurn(Settings(handler, plan.Touchers[0], 0, -1), cancelled);
            if (result.Problem == TurnProblem.NotThere)
                throw new CliException($"--socket: handler {handler.Name} is not there: {result.Message}");
            if (result.Problem != TurnProblem.None)
                Add(handler, plan.Touchers[0], plan.Loads[0], result);
        }
    }

    // Who is first changes from round to round.
    private async Task Turns(int round, int touchers, int load, CancellationToken cancelled)
    {
        for (var i = 0; i < plan.Handlers.Count; i++)
        {
            var handler = plan.Handlers[(i + round) % plan.Handlers.Count];
            if (_failed.Contains(handler.Name))
                continue;
            Add(handler, touchers, load, await makeTurn(Settings(handler, touchers, load, round), cancelled));
        }
    }

    private void Add(HandlerName handler, int touchers, int load, TurnResult result)
    {
        var key = (handler.Name, touchers, load);
        if (!_turns.TryGetValue(key, out var turns))
            _turns[key] = turns = [];
        turns.Add(result);
        if (result.Problem == TurnProblem.None)
            return;
        _failed.Add(handler.Name);
        say($"{handler.Name}: {result.Message}");
    }

    private TurnSettings Settings(HandlerName handler, int touchers, int load, int round) =>
        plan.Turn with
        {
            Socket = handler.Socket,
            Form = handler.Form,
            Touchers = touchers,
            Load = load,
            Seed = plan.Turn.Seed + (ulong)(round + 1),
            // At the start somebody listens or does not. Later a handler for one VM is being started again.
            ConnectPatience = round < 0 ? TimeSpan.Zero : plan.Turn.ConnectPatience,
        };
}
