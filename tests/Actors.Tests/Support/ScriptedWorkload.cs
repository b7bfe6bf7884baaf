using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors.Tests;

/// <summary>A workload spelled out: one list of accesses a vCPU, all due at once.</summary>
internal sealed class ScriptedWorkload(ulong pages, params (ulong Page, Access Kind)[][] streams) : IWorkload
{
    public string Name => "scripted";

    public int Vcpus => streams.Length;

    public ulong Pages => pages;

    public IAccessStream Open(int vcpu) => new Stream(streams[vcpu]);

    private sealed class Stream((ulong Page, Access Kind)[] accesses) : IAccessStream
    {
        private int _next;

        public ulong Count => (ulong)accesses.Length;

        public bool TryNext(out GuestAccess access)
        {
            access = default;
            if (_next == accesses.Length)
                return false;
            access = new GuestAccess(new Gfn(accesses[_next].Page), accesses[_next].Kind, 0);
            _next++;
            return true;
        }
    }
}
