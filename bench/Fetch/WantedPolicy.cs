namespace Userfault.Bench.Fetch;

/// <summary>What is done for a page that is on its way as background and becomes wanted.</summary>
internal enum WantedPolicy
{
    /// <summary>It is waited for.</summary>
    Wait,

    /// <summary>It is asked for again at once, whatever that costs.</summary>
    AskAtOnce,

    /// <summary>It is asked for again where that is usually sooner, within the hedges' budget.</summary>
    Engine,
}
