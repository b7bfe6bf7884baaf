namespace Userfault.DataPlane;

/// <summary>Why a request ends without all its pages: the detail of a <see cref="FrameType.End"/> frame.</summary>
internal enum EndStatus : uint
{
    /// <summary>The client cancelled it.</summary>
    Cancelled = 1,

    /// <summary>The source behind this server was lost; another one may answer.</summary>
    SourceLost = 2,

    /// <summary>The source behind this server sent something other than what was requested.</summary>
    BadAnswer = 3,

    /// <summary>Background pages that the client already has, as far as the server knows.</summary>
    NotNeeded = 4,
}
