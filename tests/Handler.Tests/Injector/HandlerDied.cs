namespace Userfault.Handler.Tests;

/// <summary>The process ended (kill -9) in the middle of what it did.</summary>
internal sealed class HandlerDied : Exception;
