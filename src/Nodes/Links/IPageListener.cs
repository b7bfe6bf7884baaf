namespace Userfault.Nodes;

/// <summary>A node's page server, as far as its node reports it.</summary>
public interface IPageListener : IDisposable
{
    /// <summary>The port on which it listens.</summary>
    int Port { get; }

    /// <summary>Pages sent since the start.</summary>
    long PagesSent { get; }
}
