namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The model's open files: the VM's guest_memfd, and one that is none.</summary>
public sealed class ModelFiles : IFileTable
{
    public const uint OwnDescriptor = 3;
    public const uint OtherDescriptor = 4;
    public const uint ClosedDescriptor = 5;

    private readonly Memfd _memfd = new();

    public Errno Find(uint descriptor, out IGuestMemfd? file)
    {
        file = descriptor == OwnDescriptor ? _memfd : null;
        return descriptor switch
        {
            OwnDescriptor => Errno.None,
            OtherDescriptor => Errno.EINVAL,
            _ => Errno.EBADF,
        };
    }

    /// <summary>A file whose runs can be bound once; no program has private memory, so it has no pages.</summary>
    private sealed class Memfd : IGuestMemfd
    {
        private readonly Dictionary<SlotId, (ulong First, ulong Pages)> _bound = [];

        public Errno Bind(SlotId slot, ulong firstPage, ulong pages)
        {
            var isBound = _bound.Values.Any(run => firstPage < run.First + run.Pages && run.First < firstPage + pages);
            if (isBound || firstPage + pages > KernelKvm.MemfdSize >> Page.Shift)
                return Errno.EINVAL;
            _bound.Add(slot, (firstPage, pages));
            return Errno.None;
        }

        public void Unbind(SlotId slot) => _bound.Remove(slot);

        public HostPageStatus GetPage(ulong index, out HostPage page)
        {
            page = default;
            return HostPageStatus.Unavailable;
        }
    }
}
