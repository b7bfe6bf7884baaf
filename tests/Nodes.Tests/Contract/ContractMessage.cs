namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// The messages of these tests: node reports, which have a wire format, that carry a name, a topic and a number.
/// </summary>
public static class ContractMessage
{
    /// <summary>A message.</summary>
    /// <param name="from">The node that sends it.</param>
    /// <param name="topic">The topic; null if it is sent directly.</param>
    /// <param name="number">Its number. A recorder answers a negative number that was sent to it directly with its
    /// absolute value.</param>
    public static NodeReport Of(string from, string? topic, long number) =>
        new([], PagesSent: number) { State = topic is null ? from : $"{from}/{topic}" };

    /// <summary>The sending node and the topic of a message.</summary>
    public static (string From, string? Topic) Read(NodeReport message) =>
        message.State.Split('/', 2) is [var from, var topic] ? (from, topic) : (message.State, null);
}
