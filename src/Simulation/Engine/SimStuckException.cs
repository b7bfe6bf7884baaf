namespace Userfault.Simulation;

/// <summary>Actors kept running without end at one instant of virtual time.</summary>
internal sealed class SimStuckException : Exception
{
    /// <summary>A livelock.</summary>
    /// <param name="message">The time, and the next actor to run.</param>
    public SimStuckException(string message)
        : base(message) { }
}
