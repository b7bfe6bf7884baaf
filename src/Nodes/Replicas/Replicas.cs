using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// The replicas of bitmaps on this node, as seen from outside their actor. Written only by
/// <see cref="BitmapReplicasActor"/>, read from any thread.
/// </summary>
public sealed class Replicas
{
    private volatile IReadOnlyList<HeldReplica> _held = [];

    /// <summary>The current replicas, by VM and slot.</summary>
    public IReadOnlyList<HeldReplica> Held => _held;

    /// <summary>
    /// The last destination that disappeared before it had every page and has not returned; null if there is none.
    /// </summary>
    public LostDestination? Lost { get; internal set; }

    /// <summary>
    /// Is any of these pages missing at the destination, as far as this node knows? True if it does not know: if no
    /// replica covers them all, or if several VMs migrate from one image, since a request does not name its VM.
    /// </summary>
    public bool AnyMissing(ImageIdentity image, MemoryPageRange pages)
    {
        string? vm = null;
        ulong covered = 0;
        foreach (var held in _held)
        {
            // A destination may know the image by another identity than this node.
            if (!held.Shape.Image.IsSameSample(image))
                continue;
            if (vm is not null && vm != held.Shape.Vm)
                return true;
            vm = held.Shape.Vm;
            var start = Math.Max(pages.Start.Value, held.Shape.Pages.Start.Value);
            var end = Math.Min(pages.End.Value, held.Shape.Pages.End.Value);
            if (start >= end)
                continue;
            covered += end - start;
            if (held.Replica.AnyMissing(start - held.Shape.Pages.Start.Value, end - start))
                return true;
        }

        return covered < pages.Count;
    }

    /// <summary>Replaces the replicas.</summary>
    public void Set(IEnumerable<HeldReplica> held) => _held = [.. held];
}
