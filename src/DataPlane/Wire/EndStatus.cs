namespace Userfault.DataPlane;

/// <summary>Why a request ends before its pages are there: the detail of a <see cref="FrameType.End"/> frame.</summary>
internal enum EndStatus : uint
{
    /// <summary>The client cancelled it.</summary>
    Cancelled = 1,

    /// <summary>The source behind this server was lost; another one may answer.</summary>
    SourceLost = 2,

    /// <summary>The source behind this server answered something else than was asked for.</summary>
    BadAnswer = 3,

    /// <summary>Background pages that the client has already, as far as the server knows.</summary>
    NotNeeded = 4,
}
