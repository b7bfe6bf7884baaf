using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>
/// A model of the guest_memfd and of the bitmap, and the monitor's end of the socket: vCPUs that leave the guest ask
/// there, and go on when the answer comes.
/// </summary>
internal sealed unsafe class FakeMemfd : IGuestMemfd
{
    private readonly FakeKernel _kernel;
    private readonly bool[] _isMissing;
    private readonly UnixSocket _mine;
    private readonly JsonCutter _answers = new(1 << 16);
    private readonly byte[] _request = new byte[FaultRequest.MaxBytes];
    private readonly List<OwnedFd> _none = [];

    public FakeMemfd(FakeKernel kernel)
    {
        (_kernel, _isMissing) = (kernel, new bool[kernel.Memory.Length]);
        Array.Fill(_isMissing, true);
        (_mine, Theirs) = UnixSocket.Pair();
    }

    /// <summary>The handler's end of the socket.</summary>
    public UnixSocket Theirs { get; }

    public (OwnedFd Memory, OwnedFd Bitmap) Descriptors => throw new NotSupportedException("a model has none");

    public bool IsMissing(ulong page) => _isMissing[page];

    public UffdResult Write(MemoryPage first, ulong pages, byte* bytes, byte* zeros)
    {
        if (_kernel.WriteError() is var error and not LinuxErrno.None)
            return new UffdResult(0, error);
        // Zeros go page by page.
        var count = bytes == null ? 1 : _kernel.PartOf(pages);
        for (ulong i = 0; i < count; i++)
        {
            var source = (ulong*)(bytes == null ? zeros : bytes + (i << Page.Shift));
            ref var page = ref _kernel.Memory[first.Value + i];
            (page.IsCached, page.First, page.Last) = (true, source[0], source[511]);
        }
        _kernel.Note($"write pages {first.Value}+{count} of {pages}");
        return new UffdResult(count << Page.Shift, count == pages ? LinuxErrno.None : LinuxErrno.EAGAIN);
    }

    public void Clear(MemoryPage first, ulong pages) => Array.Fill(_isMissing, false, (int)first.Value, (int)pages);

    /// <summary>A vCPU left the guest for its page.</summary>
    public void Ask(FakeVcpu vcpu)
    {
        var number = (uint)Array.IndexOf(_kernel.Vcpus, vcpu);
        var length = new FaultRequest(number, vcpu.Page << Page.Shift, 0, null).WriteRequest(_request);
        _mine.Send(_request.AsSpan(0, length));
        _kernel.Note($"vcpu {number} asks for {vcpu.Page}");
        (vcpu.HasAsked, vcpu.Sleeps, HasNews) = (true, true, true);
    }

    /// <summary>Was anything asked since this was reset?</summary>
    public bool HasNews { get; set; }

    /// <summary>Lets those go on whose answer has come.</summary>
    public void TakeAnswers()
    {
        while (_mine.Receive(_answers.Room, _none, wait: false) is var bytes and > 0)
        {
            _answers.Fill(bytes);
            while (_answers.TryNext(out var json))
            {
                var answer = FaultRequest.Parse(json);
                var vcpu = _kernel.Vcpus[answer.Vcpu];
                if (vcpu.HasAsked && vcpu.Page == answer.Offset >> Page.Shift)
                    (vcpu.HasAsked, vcpu.Sleeps) = (false, false);
            }
        }
    }

    public void Dispose()
    {
        _mine.Dispose();
        Theirs.Dispose();
    }
}
