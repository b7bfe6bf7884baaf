using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Userfault.Cli;

/// <summary>
/// All instruments of one meter in Prometheus' text format, version 0.0.4: names with underscores and their unit,
/// counters with <c>_total</c>, a HELP and a TYPE line each.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Reads the meter's observable instruments now.</summary>
    public static string Of(string meter)
    {
        var samples = new SortedDictionary<string, (Instrument Instrument, List<string> Lines)>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == meter)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        listener.Start();
        listener.RecordObservableInstruments();

        var text = new StringBuilder();
        foreach (var (name, (instrument, lines)) in samples)
        {
            text.Append("# HELP ").Append(name).Append(' ').Append(Escape(instrument.Description ?? "")).Append('\n');
            text.Append("# TYPE ").Append(name).Append(IsCounter(instrument) ? " counter\n" : " gauge\n");
            foreach (var line in lines)
                text.Append(line).Append('\n');
        }

        return text.ToString();

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var name = NameOf(instrument);
            if (!samples.TryGetValue(name, out var known))
                samples.Add(name, known = (instrument, []));
            var labels = new List<string>();
            foreach (var (key, tag) in tags)
                labels.Add($"{key}=\"{Escape(tag?.ToString() ?? "")}\"");
            known.Lines.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}{(labels.Count > 0 ? $"{{{string.Join(",", labels)}}}" : "")} {value:R}"
                )
            );
        }
    }

    private static string NameOf(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        if (instrument.Unit is { } unit && !name.Contains($"_{unit}", StringComparison.Ordinal))
            name += $"_{unit}";
        return IsCounter(instrument) ? $"{name}_total" : name;
    }

    private static bool IsCounter(Instrument instrument) =>
        instrument.GetType() is { IsGenericType: true } type
        && type.GetGenericTypeDefinition() == typeof(ObservableCounter<>);

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}
