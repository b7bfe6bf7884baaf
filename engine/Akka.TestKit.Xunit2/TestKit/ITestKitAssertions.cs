namespace Akka.TestKit;

/// <summary>How the test kit reports to a test framework. Messages are composite format strings.</summary>
public interface ITestKitAssertions
{
    /// <summary>Fails the running test.</summary>
    void Fail(string format = "", params object?[] args);

    /// <summary>Fails the running test unless <paramref name="condition"/> holds.</summary>
    void AssertTrue(bool condition, string format = "", params object?[] args);

    /// <summary>Fails the running test if <paramref name="condition"/> holds.</summary>
    void AssertFalse(bool condition, string format = "", params object?[] args);

    /// <summary>Fails the running test unless both values are equal.</summary>
    void AssertEqual<T>(T expected, T actual, string format = "", params object?[] args);

    /// <summary>Fails the running test unless <paramref name="comparer"/> takes both values for equal.</summary>
    void AssertEqual<T>(T expected, T actual, Func<T, T, bool> comparer, string format = "", params object?[] args);
}
