namespace Userfault.Pages;

/// <summary>
/// Something with completions that fall due in time. A <see cref="SpinningPump"/> drives it by the real clock; a test
/// or a simulation drives it by calling <see cref="Pump"/> with virtual time.
/// </summary>
public interface IPumped
{
    /// <summary>
    /// When the next completion falls due, in ns; <see cref="long.MaxValue"/> where nothing is outstanding.
    /// </summary>
    long NextDueNs { get; }

    /// <summary>Delivers every completion due at <paramref name="nowNs"/> or before.</summary>
    void Pump(long nowNs);
}
