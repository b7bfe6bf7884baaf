namespace Akka.Remote;

/// <summary>The system messages that travel. Supervision does not: children live with their parents.</summary>
internal enum SystemMessageKind : byte
{
    Watch = 1,
    Unwatch = 2,
    Death = 3,
}
