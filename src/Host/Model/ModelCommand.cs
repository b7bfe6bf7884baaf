using System.CommandLine;
using System.Globalization;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault model predict F.csv</c>: paging rates by the cost model, as CSV alone on standard output.
/// <c>userfault model fit</c>: finds the model's costs again, with residuals and cross-validation.
/// </summary>
internal static class ModelCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "CSV with machine, memory, uffds, mode, readers, vcpus; - is standard input",
        };
        var predict = new Command("predict", "Add a column with the predicted rate to a table of paging rates.")
        {
            file,
        };
        predict.SetAction((result, _) => BadInput.Guard(() => Predict(result.GetRequiredValue(file))));

        var data = new Argument<string?>("file")
        {
            Description = "measured rates as CSV (default: those that the model comes with)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var fit = new Command(
            "fit",
            "Fit the model's costs to measured rates; print costs, residuals and cross-validation."
        )
        {
            data,
        };
        fit.SetAction((result, _) => BadInput.Guard(() => Fit(result.GetValue(data))));
        return new Command("model", "What the kernel spends on a fault, as a model.") { predict, fit };
    }

    private static async Task<int> Predict(string path)
    {
        var table = await Read(path);
        var text = Checked(
            path,
            () =>
                table.With(
                    "predicted",
                    row =>
                    {
                        var setup = table.Setup(row);
                        return KernelCostModel
                            .RatePerVcpu(KernelCosts.Of(setup.Architecture), setup)
                            .ToString("0.#", CultureInfo.InvariantCulture);
                    }
                )
        );
        await Console.Out.WriteAsync(text);
        return ExitCodes.Success;
    }

    private static async Task<int> Fit(string? path)
    {
        var table = path is null ? MeasurementTable.Training() : await Read(path);
        var cells = Checked(path ?? "", table.Cells);
        if (cells.Count == 0)
            throw new CliException($"{path}: no row has a rate_per_vcpu to fit to");
        await Console.Out.WriteAsync(FitReport.Of(cells));
        return ExitCodes.Success;
    }

    private static async Task<MeasurementTable> Read(string path)
    {
        try
        {
            var text = path == "-" ? await Console.In.ReadToEndAsync() : await File.ReadAllTextAsync(path);
            return Checked(path, () => MeasurementTable.Parse(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static T Checked<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            throw new CliException($"{path}: {e.Message}");
        }
    }
}
