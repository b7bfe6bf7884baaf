namespace Userfault.DataPlane.Tests;

/// <summary>The same with clients that receive on a loop.</summary>
public sealed class RoundTripOnLoopTests() : RoundTripTests(onLoop: true);
