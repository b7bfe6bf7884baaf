namespace Userfault.Hostile.Tests;

/// <summary>A class that a peer names. It records when it is initialized, instantiated or given a value.</summary>
public sealed class Trap
{
    private readonly string _text;

    static Trap() => TrapLog.Touch("the class Trap was initialized");

    public Trap()
    {
        _text = "";
        TrapLog.Touch("a Trap was made");
    }

    public string Text
    {
        get => _text;
        set => TrapLog.Touch($"the text of a Trap was set: {value}");
    }
}
