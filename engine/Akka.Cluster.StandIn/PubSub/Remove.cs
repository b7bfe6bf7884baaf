namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>Undoes a <see cref="Put"/>; the path is that without an address.</summary>
public sealed class Remove(string path) : IEquatable<Remove>
{
    public string Path { get; } = path;

    public bool Equals(Remove? other) => other is not null && Path == other.Path;

    public override bool Equals(object? obj) => Equals(obj as Remove);

    public override int GetHashCode() => Path.GetHashCode();

    public override string ToString() => $"Remove<path:{Path}>";
}
