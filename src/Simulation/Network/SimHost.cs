namespace Userfault.Simulation;

/// <summary>A machine on a simulated network. A node that is started again is a new process on the same host.</summary>
public sealed class SimHost
{
    internal SimHost(string name, int number) => (Name, Number) = (name, number);

    /// <summary>Its name, under which others reach it.</summary>
    public string Name { get; }

    /// <summary>Its number, from 1, in the order of making: the port of its actor system.</summary>
    public int Number { get; }

    /// <summary>Is it running?</summary>
    public bool IsUp { get; internal set; } = true;

    /// <summary>By what the latency of everything from and to it is multiplied; 1 is as the network is.</summary>
    public int Slowdown { get; set; } = 1;

    /// <summary>Frames that it has sent.</summary>
    public long FramesSent { get; internal set; }

    /// <summary>Bytes of pages that it has sent.</summary>
    public long BytesSent { get; internal set; }

    internal long LineFreeNs { get; set; }

    /// <summary>Changes when its process dies: what is left of a former one must not speak for the next.</summary>
    internal int Incarnation { get; set; } = 1;

    /// <summary>Who takes connections, by port.</summary>
    internal SortedDictionary<int, Action<SimConnection>> Listeners { get; } = [];
}
