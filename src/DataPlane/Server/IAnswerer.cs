namespace Userfault.DataPlane;

/// <summary>Answers one client's requests, from an image or from a source behind this server.</summary>
internal interface IAnswerer : IDisposable
{
    /// <summary>Is there something to send now?</summary>
    bool HasOutput { get; }

    void Start(PendingRequest request);

    /// <summary>Several requests of one frame are started next.</summary>
    void Gather() { }

    /// <summary>They are all started.</summary>
    void Send() { }

    /// <summary>Ends the request early, unless its last page is appended already.</summary>
    void Cancel(PendingRequest request);

    /// <summary>Appends what is there and fits.</summary>
    void Fill(SendBatch batch);
}
