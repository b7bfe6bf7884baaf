namespace Userfault.Simulation;

/// <summary>Actors went on without an end at one instant of virtual time.</summary>
public sealed class SimStuckException : Exception
{
    /// <summary>A livelock.</summary>
    /// <param name="message">When, and who ran last.</param>
    public SimStuckException(string message)
        : base(message) { }
}
