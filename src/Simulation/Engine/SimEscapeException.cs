namespace Userfault.Simulation;

/// <summary>
/// Work has left the simulation's thread or its clock: the run cannot be replayed. The message names the culprit.
/// </summary>
internal sealed class SimEscapeException : Exception
{
    /// <summary>An escape.</summary>
    /// <param name="culprit">The path of the actor, or the name of the thread.</param>
    /// <param name="what">A description of the escape.</param>
    public SimEscapeException(string culprit, string what)
        : base($"{culprit} escaped from the simulation: {what}") => Culprit = culprit;

    /// <summary>The path of the actor that did it, or the name of the thread.</summary>
    public string Culprit { get; }
}
