using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler;

/// <summary>
/// Looks pages up in /proc/PID/pagemap of the process that connected. Whether the memory is that process's is not known
/// from the descriptor: a launcher may have connected for its child. So its answers count only after it has shown one
/// page appear by this handler's own copy. It is opened at the first question, and costs nothing before.
/// </summary>
/// <param name="monitor">The process that connected; not owned.</param>
internal sealed unsafe class PageMap(PidFd monitor) : IPagePresence
{
    // Huge pages are never swapped; a marker of write protection sets the bit below this one.
    private const ulong IsPresent = 1UL << 63;
    private const int MaxTrials = 4;
    private OwnedFd? _file;
    private bool _isOpened;
    private bool _isTrusted;
    private bool _wasAbsent;
    private int _trials;

    /// <inheritdoc/>
    public PagePresence Of(ulong address) => _isTrusted ? Look(address) : PagePresence.Unknown;

    /// <inheritdoc/>
    public void BeforeCopy(ulong address) =>
        _wasAbsent = !_isTrusted && _trials < MaxTrials && Look(address) == PagePresence.Absent;

    /// <inheritdoc/>
    public void AfterCopy(ulong address)
    {
        if (!_wasAbsent)
            return;
        _trials++;
        _isTrusted = Look(address) == PagePresence.Present;
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private PagePresence Look(ulong address)
    {
        if (!_isOpened)
            Open();
        ulong entry = 0;
        // A process that is gone has no entries.
        if (
            _file is null
            || Libc.ReadAt(_file.Number, &entry, sizeof(ulong), (long)(address >> Page.Shift) * sizeof(ulong))
                != sizeof(ulong)
        )
        {
            return PagePresence.Unknown;
        }
        return (entry & IsPresent) != 0 ? PagePresence.Present : PagePresence.Absent;
    }

    private void Open()
    {
        _isOpened = true;
        var pid = monitor.Number;
        if (pid <= 0)
            return;
        var fd = Libc.Open($"/proc/{pid}/pagemap", Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
        if (fd < 0)
            return;
        _file = new OwnedFd(fd);
        // The number may be another process's by now.
        if (!monitor.HasEnded())
            return;
        _file.Dispose();
        _file = null;
    }
}
