namespace Userfault.Hostile.Tests;

/// <summary>A message of a peer's own: the peer makes it by hand, anybody else by the constructor that tells.</summary>
public sealed class Gadget
{
    private readonly string _text = "";

    public Gadget() => TrapLog.Touch("a Gadget was made");

    private Gadget(string text) => _text = text;

    public string Text
    {
        get => _text;
        set => TrapLog.Touch($"the text of a Gadget was set: {value}");
    }

    /// <summary>The peer's own way to make one.</summary>
    public static Gadget ByHand(string text) => new(text);
}
