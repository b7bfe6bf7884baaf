namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A call that was answered differently.</summary>
/// <param name="Index">Its place in the program.</param>
/// <param name="Call">The call.</param>
/// <param name="Expected">What the reference answered.</param>
/// <param name="Actual">What the model answered.</param>
public sealed record Difference(int Index, KvmCall Call, KvmAnswer Expected, KvmAnswer Actual);
