namespace Userfault.Hostile.Tests;

/// <summary>One cluster for all attacks: an attack that harms it shows in those that follow as well.</summary>
[CollectionDefinition(Victims.Name)]
public sealed class VictimsCollection : ICollectionFixture<Victims>;
