using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>The effects of one message, in order. Reused: nothing is allocated per fault.</summary>
public sealed class EffectBuffer
{
    private Effect[] _effects = new Effect[64];

    /// <summary>The effects so far.</summary>
    public ReadOnlySpan<Effect> Effects => _effects.AsSpan(0, Count);

    /// <summary>Number of effects.</summary>
    public int Count { get; private set; }

    /// <summary>Removes all effects.</summary>
    public void Clear() => Count = 0;

    /// <summary>Let a vCPU repeat its access.</summary>
    public void Resume(int vcpu) => Add(new Effect(EffectKind.Resume, vcpu, default));

    /// <summary>Let a vCPU continue after its access.</summary>
    public void Skip(int vcpu, Gfn gfn, FaultKind why) => Add(new Effect(EffectKind.Skip, vcpu, default, gfn, why));

    /// <summary>Report that a vCPU cannot continue.</summary>
    public void Fail(int vcpu, Gfn gfn, FaultKind why) => Add(new Effect(EffectKind.Fail, vcpu, default, gfn, why));

    /// <summary>Fetch a page that has a waiter.</summary>
    public void Fetch(MemoryPage page) => Add(new Effect(EffectKind.Fetch, -1, page));

    /// <summary>Raise a page in flight to demand: it has a waiter now.</summary>
    public void Promote(MemoryPage page) => Add(new Effect(EffectKind.Promote, -1, page));

    /// <summary>Deliver a userfaultfd event to a reader.</summary>
    public void Uffd(UffdEvent uffd) =>
        Add(new Effect(EffectKind.UffdEvent, -1, uffd.Page, default, FaultKind.None, uffd.IsMinor, uffd.IsWrite));

    /// <summary>Wake an accessor on the host's side: its page is in place.</summary>
    public void WakeAccessor(int accessor, MemoryPage page) => Add(new Effect(EffectKind.WakeAccessor, accessor, page));

    /// <summary>Wake an accessor on the host's side without its page: it repeats the access.</summary>
    public void RetryAccessor(int accessor, MemoryPage page) =>
        Add(new Effect(EffectKind.RetryAccessor, accessor, page));

    private void Add(in Effect effect)
    {
        if (Count == _effects.Length)
            Array.Resize(ref _effects, Count * 2);
        _effects[Count++] = effect;
    }
}
