using System.Globalization;
using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// The lines that a child process writes, made of words with spaces between them. <c>event G FOLLOWER ...</c> and
/// <c>heard G ...</c> report what its G-th node has received; <c>ok ...</c> and <c>error ...</c> answer a command.
/// </summary>
internal static class ChildLines
{
    public const string Event = "event";
    public const string Heard = "heard";
    public const string Ok = "ok";
    public const string Error = "error";

    private const string None = "-";

    public static string Of(IMembershipEvent said) => said switch
    {
        MemberChanged changed => $"member {Of(changed.Node)} {changed.State} {string.Join(',', changed.Roles)}",
        ReachabilityChanged changed => $"reachable {Of(changed.Node)} {changed.IsReachable}",
        MembershipEnded => "ended",
        _ => throw new ArgumentException($"{said} is not a membership event", nameof(said)),
    };

    public static IMembershipEvent ReadEvent(ReadOnlySpan<string> words) => words switch
    {
        ["member", var address, var incarnation, var state, var roles] =>
            new MemberChanged(ReadNode(address, incarnation), roles.Split(','), Enum.Parse<MemberState>(state)),
        ["reachable", var address, var incarnation, var isReachable] =>
            new ReachabilityChanged(ReadNode(address, incarnation), bool.Parse(isReachable)),
        ["ended"] => MembershipEnded.Instance,
        _ => throw new FormatException(string.Join(' ', words)),
    };

    public static string Of(HeardMessage heard)
    {
        var topic = heard.Topic is null ? None : Escape(heard.Topic);
        var sender = heard.Sender?.ToString() ?? None;
        return string.Create(CultureInfo.InvariantCulture, $"{heard.From} {topic} {heard.Number} {sender}");
    }

    public static HeardMessage ReadHeard(ReadOnlySpan<string> words)
    {
        if (words is not [var from, var topic, var number, var sender])
            throw new FormatException(string.Join(' ', words));
        var address = sender == None ? null : Address.Parse(sender);
        return new HeardMessage(from, topic == None ? null : Unescape(topic), ReadNumber(number), address);
    }

    public static string Of(NodeId node) =>
        string.Create(CultureInfo.InvariantCulture, $"{node.Address} {node.Incarnation}");

    public static NodeId ReadNode(string address, string incarnation) =>
        new(Address.Parse(address), ReadNumber(incarnation));

    public static long ReadNumber(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    public static string Escape(string text) => Uri.EscapeDataString(text);

    public static string Unescape(string text) => Uri.UnescapeDataString(text);
}
