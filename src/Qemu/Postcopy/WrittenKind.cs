namespace Userfault.Qemu;

/// <summary>What <see cref="PostcopyCore.TryWrite"/> has appended to a channel.</summary>
internal enum WrittenKind
{
    /// <summary>Nothing: there is nothing to send now.</summary>
    Nothing,

    /// <summary>Pages that were requested.</summary>
    Answer,

    /// <summary>A section of pages that were not requested.</summary>
    Push,

    /// <summary>Nothing, but the search for pages to push has not ended: ask again after a look for requests.</summary>
    Searching,

    /// <summary>A ping, whose answer permits the end.</summary>
    Ping,

    /// <summary>The end of the stream.</summary>
    End,
}
