using System.Globalization;
using System.Text.RegularExpressions;
using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// A CSV of paging rates: the columns machine, memory, uffds, mode, readers and vcpus in any order, rate_per_vcpu if
/// known, and any others. Lines that start with # and empty ones are ignored. Errors are one-line
/// <see cref="FormatException"/>s.
/// </summary>
public sealed partial class MeasurementTable
{
    private const int MostVcpus = 65536;
    private const string RateColumn = "rate_per_vcpu";
    private static readonly string[] Needed = ["machine", "memory", "uffds", "mode", "readers", "vcpus"];
    private readonly Dictionary<string, int> _columns = new(StringComparer.Ordinal);
    private readonly List<(int Line, string[] Fields)> _rows = [];
    private readonly string[] _header = [];

    private MeasurementTable(string text)
    {
        var number = 0;
        foreach (var raw in text.TrimStart('\uFEFF').Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r');
            if (string.IsNullOrWhiteSpace(line) || line.StartsWith('#'))
                continue;
            var fields = CsvLine.Split(line) ?? throw Bad(number, "a quote is not closed");
            if (_header.Length == 0)
            {
                _header = fields;
                ReadHeader(number);
            }
            else if (fields.Length != _header.Length)
            {
                throw Bad(number, $"{fields.Length} fields, and the header has {_header.Length}");
            }
            else
            {
                _rows.Add((number, fields));
            }
        }

        if (_header.Length == 0)
            throw new FormatException("there is no header: columns " + string.Join(", ", Needed) + " are needed");
    }

    /// <summary>Number of rows, without header and comments.</summary>
    public int Count => _rows.Count;

    /// <summary>Parses a table. Throws <see cref="FormatException"/> if it is invalid.</summary>
    public static MeasurementTable Parse(string text) => new(text);

    /// <summary>The published rates that the costs were fitted to.</summary>
    public static MeasurementTable Training()
    {
        using var stream = typeof(MeasurementTable).Assembly.GetManifestResourceStream("measurements.csv")!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>
    /// The setup of a row. A <see cref="FormatException"/> names the line and the invalid field.
    /// </summary>
    public PagingSetup Setup(int row)
    {
        var machine = MachineName().Match(Field(row, "machine"));
        if (!machine.Success)
            throw Unknown(row, "machine", "x86 or arm64, with processors as in x86-96lpu or arm64-96pe");
        var architecture = machine.Groups[1].Value == "x86" ? Architecture.X86 : Architecture.Arm64;
        var vcpus = Number(row, "vcpus");
        var isAnonymous = Field(row, "memory") switch
        {
            "anonymous" => true,
            "shmem" => false,
            _ => throw Unknown(row, "memory", "anonymous or shmem"),
        };
        var mode = Field(row, "mode") switch
        {
            "none" => PagingMode.None,
            "uffd-missing" or "uffd-minor" => PagingMode.Userfaultfd,
            "userfault" => PagingMode.Userfault,
            "uffd-missing+userfault" or "uffd-minor+userfault" or "userfault+uffd-missing" or "userfault+uffd-minor" =>
                PagingMode.Both,
            _ => throw Unknown(
                row,
                "mode",
                "none, uffd-missing, uffd-minor, userfault, uffd-missing+userfault or uffd-minor+userfault"
            ),
        };
        return new PagingSetup(architecture, mode, isAnonymous, vcpus)
        {
            HasDescriptorPerVcpu = Field(row, "uffds") switch
            {
                "single" or "-" or "" => false,
                "multiple" => true,
                _ => throw Unknown(row, "uffds", "single or multiple"),
            },
            Readers = Field(row, "readers") switch
            {
                "one" or "-" or "" => 1,
                "per-vcpu" => vcpus,
                _ => Number(row, "readers"),
            },
            HostProcessors = machine.Groups[2].Success
                ? int.Parse(machine.Groups[2].Value, CultureInfo.InvariantCulture)
                : 0,
            ThreadsPerCore = machine.Groups[3].Value == "lpu" ? 2 : 1,
        };
    }

    /// <summary>
    /// A row's measured rate in pages/s per vCPU; null if the field is empty or not a rate above zero.
    /// </summary>
    public double? Rate(int row) =>
        _columns.TryGetValue(RateColumn, out var at)
        && double.TryParse(_rows[row].Fields[at], NumberStyles.Float, CultureInfo.InvariantCulture, out var rate)
        && rate > 0
        && double.IsFinite(rate)
            ? rate
            : null;

    /// <summary>Rows with a rate.</summary>
    public IReadOnlyList<MeasuredCell> Cells() =>
        [
            .. from row in Enumerable.Range(0, Count)
            let rate = Rate(row)
            where rate is not null
            select new MeasuredCell(
                string.Join(' ', Needed.Where(static c => c != "vcpus").Select(c => Field(row, c))),
                Setup(row),
                rate.Value
            ),
        ];

    /// <summary>
    /// The table with an additional column, after the rate (or last if there is no rate): CSV, without comments.
    /// </summary>
    public string With(string column, Func<int, string> value)
    {
        var at = _columns.TryGetValue(RateColumn, out var rate) ? rate + 1 : _header.Length;
        var lines = Enumerable
            .Range(0, Count)
            .Select(row => Insert(_rows[row].Fields, at, value(row)))
            .Prepend(Insert(_header, at, column));
        return string.Concat(lines.Select(static fields => CsvLine.Join(fields) + "\n"));
    }

    private static IEnumerable<string> Insert(string[] fields, int at, string field) =>
        [.. fields[..at], field, .. fields[at..]];

    private static FormatException Bad(int line, string what) => new($"line {line}: {what}");

    private void ReadHeader(int line)
    {
        for (var i = 0; i < _header.Length; i++)
        {
            var name = _header[i].Trim();
            if (!_columns.TryAdd(name, i))
                throw Bad(line, $"column {name} appears twice");
        }

        if (Needed.FirstOrDefault(c => !_columns.ContainsKey(c)) is { } missing)
            throw Bad(line, $"column {missing} is missing");
    }

    private string Field(int row, string column) => _rows[row].Fields[_columns[column]].Trim();

    private int Number(int row, string column) =>
        int.TryParse(Field(row, column), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        && value is > 0 and <= MostVcpus
            ? value
            : throw Unknown(row, column, $"a whole number from 1 to {MostVcpus}");

    private FormatException Unknown(int row, string column, string wanted) =>
        Bad(_rows[row].Line, $"{column} '{Field(row, column)}' is not {wanted}");

    [GeneratedRegex(@"^(x86|arm64)(?:-(?:(\d{1,5})(lpu|pe))?.*)?$")]
    private static partial Regex MachineName();
}
