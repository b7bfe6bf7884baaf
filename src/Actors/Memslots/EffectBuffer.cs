using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>The effects of one message, in order. Reused: nothing is allocated a fault.</summary>
public sealed class EffectBuffer
{
    private Effect[] _effects = new Effect[64];

    /// <summary>The effects so far.</summary>
    public ReadOnlySpan<Effect> Effects => _effects.AsSpan(0, Count);

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Forgets all.</summary>
    public void Clear() => Count = 0;

    /// <summary>Let a vCPU make its access again.</summary>
    public void Resume(int vcpu) => Add(new Effect(EffectKind.Resume, vcpu, default));

    /// <summary>Let a vCPU go on behind its access.</summary>
    public void Skip(int vcpu, Gfn gfn, FaultKind why) => Add(new Effect(EffectKind.Skip, vcpu, default, gfn, why));

    /// <summary>A vCPU cannot go on.</summary>
    public void Fail(int vcpu, Gfn gfn, FaultKind why) => Add(new Effect(EffectKind.Fail, vcpu, default, gfn, why));

    /// <summary>Fetch a page that somebody waits for.</summary>
    public void Fetch(MemoryPage page) => Add(new Effect(EffectKind.Fetch, -1, page));

    /// <summary>Somebody waits for a page that is on its way.</summary>
    public void Promote(MemoryPage page) => Add(new Effect(EffectKind.Promote, -1, page));

    /// <summary>Tell a reader of a userfaultfd event.</summary>
    public void Uffd(UffdEvent uffd) =>
        Add(new Effect(EffectKind.UffdEvent, -1, uffd.Page, default, FaultKind.None, uffd.IsMinor, uffd.IsWrite));

    /// <summary>An accessor of the host's side has its page of guest memory.</summary>
    public void WakeAccessor(int accessor, MemoryPage page) => Add(new Effect(EffectKind.WakeAccessor, accessor, page));

    /// <summary>An accessor of the host's side is woken without its page of guest memory.</summary>
    public void RetryAccessor(int accessor, MemoryPage page) =>
        Add(new Effect(EffectKind.RetryAccessor, accessor, page));

    private void Add(in Effect effect)
    {
        if (Count == _effects.Length)
            Array.Resize(ref _effects, Count * 2);
        _effects[Count++] = effect;
    }
}
