namespace Akka.TestKit;

/// <summary>
/// Marks a test class whose <c>Tell(message)</c> has no sender. Without it the test actor is the sender of everything
/// that the test's own thread tells.
/// </summary>
#pragma warning disable CA1040 // a marker by the official kit's design
public interface INoImplicitSender;
#pragma warning restore CA1040
