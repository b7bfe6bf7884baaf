namespace Userfault.Simulation;

/// <summary>A machine on a simulated network. A restarted node is a new process on the same host.</summary>
internal sealed class SimHost
{
    internal SimHost(string name, int number) => (Name, Number) = (name, number);

    /// <summary>Its name, at which others reach it.</summary>
    public string Name { get; }

    /// <summary>Its number, from 1, in the order of creation.</summary>
    public int Number { get; }

    /// <summary>Is it running?</summary>
    public bool IsUp { get; internal set; } = true;

    /// <summary>Factor for the latency of everything from and to it; 1 is the network's own latency.</summary>
    public int Slowdown { get; set; } = 1;

    /// <summary>Frames sent.</summary>
    public long FramesSent { get; internal set; }

    /// <summary>Bytes of frames sent.</summary>
    public long BytesSent { get; internal set; }

    internal long LineFreeNs { get; set; }

    /// <summary>Changes when its process dies: remnants of a former process must not act for the next one.</summary>
    internal int Incarnation { get; set; } = 1;

    /// <summary>Handlers of incoming connections, by port.</summary>
    internal SortedDictionary<int, Action<SimConnection>> Listeners { get; } = [];
}
