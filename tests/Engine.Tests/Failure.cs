using Xunit.Sdk;

namespace Userfault.Engine.Tests;

/// <summary>The failing side of an expectation: a wait that is certain to end, and the report it ends with.</summary>
internal static class Failure
{
    /// <summary>Long enough to have been waited for, short enough for a test that waits it out.</summary>
    public static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    public static string Of(Action expectation) => Assert.ThrowsAny<XunitException>(expectation).Message;
}
