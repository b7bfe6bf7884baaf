namespace Userfault.Simulation;

/// <summary>
/// Work has left the simulation's thread or its clock: the run cannot be replayed. The message names who did it.
/// </summary>
public sealed class SimEscapeException : Exception
{
    /// <summary>An escape.</summary>
    /// <param name="culprit">The path of the actor, or the name of the thread.</param>
    /// <param name="what">What was done.</param>
    public SimEscapeException(string culprit, string what)
        : base($"{culprit} escaped from the simulation: {what}") => Culprit = culprit;

    /// <summary>The path of the actor that did it, or the name of the thread.</summary>
    public string Culprit { get; }
}
