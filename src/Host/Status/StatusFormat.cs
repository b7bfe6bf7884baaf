namespace Userfault.Cli;

/// <summary>How a status is written.</summary>
internal enum StatusFormat
{
    /// <summary>As a table, for people.</summary>
    Table,

    /// <summary>As JSON, for programs.</summary>
    Json,
}
