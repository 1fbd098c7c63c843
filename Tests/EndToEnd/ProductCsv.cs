using System.Text;
using Darkroom.Csv;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Writes input CSVs and reads output CSVs back.</summary>
internal static class ProductCsv
{
    public const string Header = "S. No.,Product Name,Input Image Urls";

    /// <summary>A CSV with one product per list of URLs.</summary>
    public static string Of(params IReadOnlyList<string>[] products)
    {
        var csv = new StringBuilder(Header).Append('\n');
        for (var i = 0; i < products.Length; i++)
            csv.Append($"{i + 1}.,Product {i + 1},\"{string.Join(", ", products[i])}\"\n");
        return csv.ToString();
    }

    /// <summary>The output cells of each row, parsed by the writer's grammar.</summary>
    public static IReadOnlyList<OutputRow> ReadOutput(string csv)
    {
        using var reader = new CsvHelper.CsvReader(new StringReader(csv), System.Globalization.CultureInfo.InvariantCulture);
        reader.Read();
        reader.ReadHeader();
        var rows = new List<OutputRow>();
        while (reader.Read())
            rows.Add(new OutputRow(
                reader.GetField(0)!, reader.GetField("Input Image Urls")!.Split(", "),
                [.. OutputUrlList.Parse(reader.GetField("Output Image Urls")!).Select(url => url ?? "")], reader.GetField("Errors")!));
        return rows;
    }
}

internal sealed record OutputRow(string Serial, string[] Inputs, string[] Outputs, string Errors);
