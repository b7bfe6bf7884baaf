namespace Userfault.Capacity;

/// <summary>
/// The model's relative errors for the published cells, each predicted by a fit that has not seen it, in the order of
/// <see cref="MeasurementTable.Training"/>. <c>userfault model fit</c> prints them; a test finds them again.
/// </summary>
internal static class LeftOutErrors
{
    /// <summary>Errors with the cell itself left out, its curve, and its mode on this architecture.</summary>
    public static IReadOnlyList<(double Cell, double Curve, double Mode)> Training { get; } =
    [
        (Cell: -0.009, Curve: 0.004, Mode: 0.144), // x86-96lpu anonymous single none -, 2
        (Cell: 0.113, Curve: 0.114, Mode: 0.279), // x86-96lpu anonymous single none -, 64
        (Cell: -0.036, Curve: -0.041, Mode: -0.119), // x86-96lpu anonymous single uffd-missing one, 2
        (Cell: -0.011, Curve: -0.021, Mode: 0.008), // x86-96lpu anonymous single uffd-missing one, 64
        (Cell: 0.065, Curve: 0.064, Mode: -0.061), // x86-96lpu anonymous single uffd-missing per-vcpu, 2
        (Cell: 0.011, Curve: 0.003, Mode: 0.006), // x86-96lpu anonymous single uffd-missing per-vcpu, 64
        (Cell: 0.028, Curve: 0.026, Mode: 0.030), // x86-96lpu anonymous single uffd-missing+userfault per-vcpu, 2
        (Cell: -0.051, Curve: -0.050, Mode: 0.006), // x86-96lpu anonymous single uffd-missing+userfault per-vcpu, 64
        (Cell: 0.019, Curve: 0.019, Mode: 0.005), // x86-96lpu anonymous single userfault -, 2
        (Cell: 0.001, Curve: 0.003, Mode: -0.075), // x86-96lpu anonymous single userfault -, 64
        (Cell: 0.042, Curve: 0.032, Mode: 0.195), // x86-96lpu shmem single none -, 2
        (Cell: -0.061, Curve: -0.059, Mode: 0.169), // x86-96lpu shmem single none -, 64
        (Cell: -0.060, Curve: -0.048, Mode: -0.144), // x86-96lpu shmem single uffd-minor one, 2
        (Cell: 0.093, Curve: 0.084, Mode: 0.078), // x86-96lpu shmem single uffd-minor one, 64
        (Cell: -0.014, Curve: -0.013, Mode: -0.110), // x86-96lpu shmem single uffd-minor per-vcpu, 2
        (Cell: 0.003, Curve: 0.006, Mode: 0.002), // x86-96lpu shmem single uffd-minor per-vcpu, 64
        (Cell: -0.013, Curve: -0.011, Mode: 0.003), // x86-96lpu shmem single uffd-minor+userfault per-vcpu, 2
        (Cell: 0.067, Curve: 0.066, Mode: 0.072), // x86-96lpu shmem single uffd-minor+userfault per-vcpu, 64
        (Cell: -0.010, Curve: -0.015, Mode: -0.017), // x86-96lpu shmem single userfault -, 2
        (Cell: -0.071, Curve: -0.072, Mode: -0.118), // x86-96lpu shmem single userfault -, 64
        (Cell: 0.194, Curve: -0.042, Mode: -0.042), // arm64-96pe shmem single none -, 2
        (Cell: 0.306, Curve: 0.170, Mode: 0.170), // arm64-96pe shmem single none -, 64
        (Cell: 0.025, Curve: -0.045, Mode: 0.161), // arm64-96pe shmem single uffd-minor one, 2
        (Cell: -0.234, Curve: -0.284, Mode: -0.095), // arm64-96pe shmem single uffd-minor one, 64
        (Cell: 0.011, Curve: 0.013, Mode: 0.166), // arm64-96pe shmem single uffd-minor per-vcpu, 2
        (Cell: 0.088, Curve: 0.119, Mode: 0.093), // arm64-96pe shmem single uffd-minor per-vcpu, 64
        (Cell: -0.011, Curve: -0.011, Mode: -0.011), // arm64-96pe shmem single uffd-minor+userfault per-vcpu, 2
        (Cell: -0.119, Curve: -0.119, Mode: -0.119), // arm64-96pe shmem single uffd-minor+userfault per-vcpu, 64
        (Cell: -0.032, Curve: -0.005, Mode: -0.005), // arm64-96pe shmem single userfault -, 2
        (Cell: 0.036, Curve: 0.145, Mode: 0.145), // arm64-96pe shmem single userfault -, 64
        (Cell: -0.128, Curve: -0.069, Mode: -0.069), // arm64-96pe shmem single none -, 8
        (Cell: 0.195, Curve: 0.265, Mode: 0.265), // arm64-96pe shmem single userfault -, 8
        (Cell: -0.045, Curve: -0.044, Mode: -0.027), // x86-96lpu anonymous single uffd-missing per-vcpu, 8
        (Cell: 0.013, Curve: 0.013, Mode: 0.023), // x86-96lpu shmem single uffd-minor per-vcpu, 8
        (Cell: -0.037, Curve: 0.030, Mode: -0.047), // x86-96lpu shmem multiple uffd-minor per-vcpu, 8
        (Cell: 0.075, Curve: 0.137, Mode: 0.108), // x86-96lpu shmem multiple uffd-minor per-vcpu, 64
    ];
}
