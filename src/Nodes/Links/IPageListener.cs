namespace Userfault.Nodes;

/// <summary>A node's server of pages, as far as its node reports it.</summary>
public interface IPageListener : IDisposable
{
    /// <summary>The port under which it is reached.</summary>
    int Port { get; }

    /// <summary>Pages that it has answered so far.</summary>
    long PagesSent { get; }
}
