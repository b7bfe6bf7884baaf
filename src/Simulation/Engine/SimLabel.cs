namespace Userfault.Simulation;

/// <summary>A name with its hash: identifies a step in the run's hash and in messages.</summary>
internal sealed class SimLabel(string name)
{
    public string Name { get; } = name;

    public ulong Hash { get; } = SimHash.Of(name);

    public override string ToString() => Name;
}
