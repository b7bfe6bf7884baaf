using System.Text.Json;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// A cluster's state as JSON; the fields are never renamed. What has no unit in its name is pages or a count.
/// </summary>
internal static class StatusReport
{
    public static string Json(IReadOnlyList<ClusterNode> nodes) =>
        JsonSerializer.Serialize(
            new
            {
                Members = nodes.Count,
                Unreachable = nodes.Count(n => !n.IsReachable),
                Nodes = nodes.Select(n => new
                {
                    Node = $"{n.Address.Host}:{n.Address.Port}",
                    n.Roles,
                    Member = Units.NameOf(n.State),
                    Reachable = n.IsReachable,
                    n.Report?.State,
                    n.Report?.PagesSent,
                    n.Report?.PagesPerSecond,
                    PagesPresent = n.Report is { Pages: > 0 } ? n.Report.PagesPresent : (ulong?)null,
                    Pages = n.Report is { Pages: > 0 } ? n.Report.Pages : (ulong?)null,
                    Offers = n.Report?.Offers.Select(o => new
                    {
                        Image = o.Image.ToString(),
                        Pages = o.PageCount,
                        At = $"{(o.Host.Length > 0 ? o.Host : n.Address.Host)}:{o.Port}",
                        o.Name,
                    }),
                    Bitmaps = n.Report?.Bitmaps.Select(b => new
                    {
                        b.Vm,
                        Slot = b.Slot.ToString(),
                        FirstPage = b.Pages.Start.Value,
                        Pages = b.Pages.Count,
                        b.Sequence,
                    }),
                }),
            },
            JsonReport.Options
        );
}
