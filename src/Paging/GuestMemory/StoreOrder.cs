namespace Userfault.Paging;

/// <summary>When other cores may see a store.</summary>
public enum StoreOrder
{
    /// <summary>Not before any store that came before it.</summary>
    Release,

    /// <summary>At any time, on a weakly ordered machine.</summary>
    Plain,
}
