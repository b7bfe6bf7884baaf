namespace Userfault.Nodes.Tests.Contract;

/// <summary>What travels in these tests: reports, since the wire knows them, that carry a name, a topic and a number.</summary>
public static class ContractMessage
{
    /// <summary>A message.</summary>
    /// <param name="from">Name of the node that sends it.</param>
    /// <param name="topic">The topic; null for one that is told.</param>
    /// <param name="number">Its number; a recorder answers a number below zero that it is told with the same above zero.</param>
    public static NodeReport Of(string from, string? topic, long number) =>
        new([], PagesSent: number) { State = topic is null ? from : $"{from}/{topic}" };

    /// <summary>Who sent it, and on which topic.</summary>
    public static (string From, string? Topic) Read(NodeReport message) =>
        message.State.Split('/', 2) is [var from, var topic] ? (from, topic) : (message.State, null);
}
