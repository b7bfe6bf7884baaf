using System.Runtime.InteropServices;

namespace Userfault.Handler;

/// <summary>
/// Fault requests that are not answered yet (secret-free form), in memory that a standby maps too: a request is on the
/// socket once, and whoever reads it must not be its only holder. Entered before it is taken from the stream, taken
/// from the stream before it is served, removed after its answer is sent: a death in between never loses it, and one
/// between the answer and the removal answers it twice. One owner at a time.
/// </summary>
internal sealed unsafe class RequestLedger
{
    /// <summary>Requests at once: a vCPU has one.</summary>
    public const int MaxRequests = 4096;

    /// <summary>Bytes of memory that it needs.</summary>
    public const int Bytes = MaxRequests * 40;

    private readonly Entry* _entries;

    /// <summary>A ledger in memory of <see cref="Bytes"/> bytes: zeros, or another process's ledger.</summary>
    public RequestLedger(byte* memory)
    {
        _entries = (Entry*)memory;
        for (var i = 0; i < MaxRequests; i++)
        {
            if (_entries[i].IsUsed != 0)
                Used = i + 1;
        }
    }

    /// <summary>Slots to look at, from 0 on.</summary>
    public int Used { get; private set; }

    /// <summary>The request in a slot; false where it is free.</summary>
    public bool TryGet(int slot, out FaultRequest request)
    {
        ref var entry = ref _entries[slot];
        request = new FaultRequest(entry.Vcpu, entry.Offset, entry.Flags, entry.HasToken != 0 ? entry.Token : null);
        return entry.IsUsed != 0;
    }

    /// <summary>Enters a request. The same again, which a takeover may bring, is one.</summary>
    /// <exception cref="ProtocolException">Too many.</exception>
    public void Add(in FaultRequest request)
    {
        var free = -1;
        for (var i = 0; i < Used; i++)
        {
            if (!TryGet(i, out var other))
                free = i;
            else if (other == request)
                return;
        }
        if (free < 0)
        {
            if (Used == MaxRequests)
                throw new ProtocolException($"more than {MaxRequests} fault requests without an answer");
            free = Used++;
        }
        ref var entry = ref _entries[free];
        (entry.Vcpu, entry.Offset, entry.Flags) = (request.Vcpu, request.Offset, request.Flags);
        (entry.Token, entry.HasToken) = (request.Token ?? 0, request.Token is null ? 0u : 1u);
        Volatile.Write(ref entry.IsUsed, 1);
    }

    /// <summary>Its answer is sent.</summary>
    public void Remove(int slot)
    {
        Volatile.Write(ref _entries[slot].IsUsed, 0);
        while (Used > 0 && _entries[Used - 1].IsUsed == 0)
            Used--;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public uint IsUsed;
        public uint Vcpu;
        public ulong Offset;
        public ulong Flags;
        public ulong Token;
        public uint HasToken;
        public uint Padding;
    }
}
