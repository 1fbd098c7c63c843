using System.Globalization;
using Darkroom.Benchmarks.Csv;

var count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000;
switch (args.FirstOrDefault())
{
    case "csv":
        await CsvBenchmark.RunAsync(count);
        return 0;
    default:
        await Console.Error.WriteLineAsync("Usage: dotnet run -c Release --project Tests/Benchmarks -- csv [rows]");
        return 2;
}
