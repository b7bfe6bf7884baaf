using Akka.Actor;
using Akka.Event;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>Log lines that a peer can cause are bounded.</summary>
public sealed class LogBudgetTests
{
    [Fact]
    public void Only_lines_of_Akka_are_bounded_by_class_and_level()
    {
        var budget = new LogBudget();
        for (var i = 0; i < LogBudget.MaxLines; i++)
        {
            Assert.Equal(LogFilterDecision.NoDecision, Decide(new Warning("a", typeof(ActorSystem), "boo")));
        }

        Assert.Equal(LogFilterDecision.Drop, Decide(new Warning("a", typeof(ActorSystem), "boo")));
        Assert.Equal(LogFilterDecision.NoDecision, Decide(new Error(null, "a", typeof(ActorSystem), "boo")));
        Assert.Equal(LogFilterDecision.NoDecision, Decide(new Warning("a", typeof(ActorRefs), "boo")));
        for (var i = 0; i <= LogBudget.MaxLines; i++)
        {
            Assert.Equal(LogFilterDecision.NoDecision, Decide(new Warning("a", typeof(NodeActor), "boo")));
            Assert.Equal(LogFilterDecision.NoDecision, Decide(new Debug("a", typeof(ActorSystem), "boo")));
        }

        LogFilterDecision Decide(LogEvent line) => budget.ShouldKeepMessage(line);
    }
}
