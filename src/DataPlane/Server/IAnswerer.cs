namespace Userfault.DataPlane;

/// <summary>Answers one client's requests, from an image or from a source behind this server.</summary>
internal interface IAnswerer : IDisposable
{
    /// <summary>Is there output to send now?</summary>
    bool HasOutput { get; }

    void Start(PendingRequest request);

    /// <summary>Several requests of one frame will be started next.</summary>
    void Gather() { }

    /// <summary>All of them have been started.</summary>
    void Send() { }

    /// <summary>Ends the request early, unless its last page has already been appended.</summary>
    void Cancel(PendingRequest request);

    /// <summary>Appends the available output, as far as it fits.</summary>
    void Fill(SendBatch batch);
}
