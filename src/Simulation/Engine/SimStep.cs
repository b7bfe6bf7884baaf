namespace Userfault.Simulation;

/// <summary>A message that an actor is about to process.</summary>
/// <param name="Number">Number of the step within the run.</param>
/// <param name="NowNs">Virtual time.</param>
/// <param name="Path">Node and path of the actor, such as <c>a/user/migration/vm/vcpu-0</c>.</param>
/// <param name="Message">The message.</param>
public readonly record struct SimStep(long Number, long NowNs, string Path, object Message);
