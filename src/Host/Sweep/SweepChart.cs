using System.Globalization;
using System.Net;
using System.Text;

namespace Userfault.Cli;

/// <summary>
/// Curves over vCPUs as SVG, both axes logarithmic; a ring marks each knee. Text and lines only: nothing is fetched.
/// </summary>
internal static class SweepChart
{
    private const int Width = 900,
        Height = 330,
        Left = 96,
        Right = 12,
        Top = 10,
        Bottom = 34;

    public static string Of(IReadOnlyList<SweepSeries> series, Func<double, string> label)
    {
        var points = series.SelectMany(static s => s.Points).Where(static p => p.Y > 0).ToList();
        if (points.Count == 0)
            return "";
        var (left, right) = (points.Min(static p => p.X), points.Max(static p => p.X));
        var (low, high) = (
            Decade(points.Min(static p => p.Y), Math.Floor),
            Decade(points.Max(static p => p.Y), Math.Ceiling)
        );
        if (high <= low)
            high = low * 10;
        double X(double x) =>
            Left + (left == right ? 0.5 : Math.Log(x / left) / Math.Log(right / left)) * (Width - Left - Right);
        double Y(double y) =>
            Height
            - Bottom
            - (Math.Log(Math.Clamp(y, low, high) / low) / Math.Log(high / low) * (Height - Top - Bottom));

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\">\n");
        for (var y = low; y <= high * 1.001; y *= 10)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(y):0.#}\" y2=\"{Y(y):0.#}\" stroke=\"#d0d7de\"/>"
                    + $"<text x=\"{Left - 6}\" y=\"{Y(y) + 4:0.#}\" text-anchor=\"end\">"
                    + $"{WebUtility.HtmlEncode(label(y))}</text>\n"
            );
        }

        foreach (var x in Ticks(points.Select(static p => p.X)))
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{X(x):0.#}\" y=\"{Height - 18}\" text-anchor=\"middle\">{x:0}</text>\n"
            );
        }

        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{(Left + Width) / 2}\" y=\"{Height - 3}\" text-anchor=\"middle\">vCPUs</text>\n"
        );
        foreach (var line in series)
        {
            var drawn = line.Points.Where(static p => p.Y > 0).ToList();
            var path = string.Join(
                ' ',
                drawn.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#},{Y(p.Y):0.#}"))
            );
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{line.Color}\" "
                    + $"stroke-width=\"2\"{(line.IsDashed ? " stroke-dasharray=\"6 4\"" : "")}><title>"
                    + $"{WebUtility.HtmlEncode(line.Name)}</title></polyline>\n"
            );
            foreach (var (x, y) in drawn)
            {
                var isKnee = x == line.KneeX;
                var title = $"{line.Name}, {x:0} vCPUs: {label(y)}{(isKnee ? ", the knee" : "")}";
                svg.Append(
                    CultureInfo.InvariantCulture,
                    $"<circle cx=\"{X(x):0.#}\" cy=\"{Y(y):0.#}\" r=\"{(isKnee ? 7 : 2.5)}\" "
                        + $"fill=\"{(isKnee ? "none" : line.Color)}\" stroke=\"{line.Color}\" stroke-width=\"2\">"
                        + $"<title>{WebUtility.HtmlEncode(title)}</title></circle>\n"
                );
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static double Decade(double value, Func<double, double> round) => Math.Pow(10, round(Math.Log10(value)));

    // As many of the values as can be read.
    private static IEnumerable<double> Ticks(IEnumerable<double> values)
    {
        var all = values.Distinct().Order().ToList();
        var every = Math.Max(1, (all.Count + 15) / 16);
        return all.Where((_, i) => i % every == 0 || i == all.Count - 1);
    }
}
