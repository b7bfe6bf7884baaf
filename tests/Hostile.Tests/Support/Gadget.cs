namespace Userfault.Hostile.Tests;

/// <summary>
/// A message of the peer's own type. The peer creates it by <see cref="ByHand"/>; the public constructor records a use.
/// </summary>
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

    /// <summary>Creates one without a record.</summary>
    public static Gadget ByHand(string text) => new(text);
}
