namespace Userfault.Hostile.Tests;

/// <summary>All attacks share one cluster: harm that shows late fails a later test.</summary>
[CollectionDefinition(Victims.Name)]
public sealed class VictimsCollection : ICollectionFixture<Victims>;
