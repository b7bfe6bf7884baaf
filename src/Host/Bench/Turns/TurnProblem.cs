namespace Userfault.Cli;

/// <summary>What a handler did wrong in a turn.</summary>
internal enum TurnProblem
{
    /// <summary>Nothing: every touch ended.</summary>
    None,

    /// <summary>Nobody listens at its socket.</summary>
    NotThere,

    /// <summary>It closed the connection, and the touchers wait for pages.</summary>
    Closed,

    /// <summary>No touch ended for as long as the turn's patience.</summary>
    NoAnswer,

    /// <summary>It answered a vCPU exit (secret-free form) in a way that the protocol does not know.</summary>
    WrongAnswer,

    /// <summary>Pages hold other content than the image.</summary>
    WrongContent,

    /// <summary>The process whose memory it served was ended by a signal.</summary>
    MonitorKilled,
}
