namespace Userfault.Tests;

/// <summary>Tests that share the saved guest.</summary>
[CollectionDefinition(Name)]
public sealed class SavedGuestCollection : ICollectionFixture<SavedGuest>
{
    /// <summary>The name of the collection.</summary>
    public const string Name = "saved guest";
}
