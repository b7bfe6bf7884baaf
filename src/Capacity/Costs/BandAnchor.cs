namespace Userfault.Capacity;

/// <summary>Measured cells of one kind at one number of vCPUs.</summary>
/// <param name="Vcpus">The number of vCPUs.</param>
/// <param name="Cells">Number of cells: with anonymous memory, with shmem, or both.</param>
/// <param name="WorstError">The largest relative error for them when left out of the fit.</param>
public sealed record BandAnchor(int Vcpus, int Cells, double WorstError);
