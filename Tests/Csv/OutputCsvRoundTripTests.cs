using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Darkroom.Csv;
using static Darkroom.Tests.Csv.CsvTesting;

namespace Darkroom.Tests.Csv;

/// <summary>Random files of every accepted shape, from a fixed seed. The output must be the input plus two cells per record.</summary>
public sealed class OutputCsvRoundTripTests
{
    [Fact]
    public async Task Output_is_the_input_plus_two_cells_per_record()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var sample = new Sample(seed);
            var input = sample.Bytes();
            var rows = await ReadAsync(input);
            Assert.Equal(sample.Expected, rows.Select(row => (row.Serial, row.Name, string.Join(' ', row.Urls))));

            var outcomes = rows.Select(sample.Outcome).ToList();
            var output = await WriteAsync(input, outcomes.ToAsyncEnumerable());
            var (before, after) = (Parse(input, sample), Parse(output, sample));
            Assert.Equal(before.Count, after.Count);

            var outcome = new Queue<RowOutcome>(outcomes);
            for (var record = 0; record < before.Count; record++)
                AssertRecord(before[record], after[record], sample, outcome);
            Assert.Empty(outcome);
        }
    }

    [Fact]
    public async Task Input_bytes_are_unchanged_where_no_list_spills()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var sample = new Sample(seed, spills: false);
            var input = sample.Bytes();
            var output = await WriteAsync(input, row => new(row.Row, [.. row.Urls.Select(_ => ImageResult.Succeeded("https://out.test/~"))]));

            // Removing the added cells restores the exact bytes of the input.
            var text = sample.Encoding.GetString(output);
            var d = sample.Delimiter;
            text = text.Replace($"{d}Output Image Urls{d}Errors", "", StringComparison.Ordinal);
            for (var urls = 5; urls > 0; urls--)
            {
                var list = string.Join(", ", Enumerable.Repeat("https://out.test/~", urls));
                text = text.Replace($"{d}\"{list}\"{d}", "", StringComparison.Ordinal).Replace($"{d}{list}{d}", "", StringComparison.Ordinal);
            }
            Assert.Equal(input, sample.Encoding.GetBytes(text));
        }
    }

    private static void AssertRecord(string[] before, string[] after, Sample sample, Queue<RowOutcome> outcomes)
    {
        if (before.All(string.IsNullOrWhiteSpace))
        {
            Assert.Equal(before, after[..before.Length]);
            return;
        }
        Assert.Equal(sample.Columns + 2, after.Length);
        Assert.Equal(before[..2], after[..2]);
        if (before[0] == "S. No.")
        {
            Assert.Equal([.. before, "Output Image Urls", "Errors"], after);
            return;
        }
        var outcome = outcomes.Dequeue();
        if (before.Length == sample.Columns)
            Assert.Equal(before, after[..^2]);
        Assert.Equal(outcome.Images.Select(image => image.Url), OutputUrlList.Parse(after[^2]));
        Assert.Equal(OutputErrorList.Format(outcome.Images), after[^1]);
    }

    /// <summary>Reads the file with plain CsvHelper, as another program would.</summary>
    private static List<string[]> Parse(byte[] csv, Sample sample)
    {
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture) { Delimiter = sample.Delimiter.ToString(), IgnoreBlankLines = false, BadDataFound = null };
        using var parser = new CsvParser(new StreamReader(new MemoryStream(csv), sample.Encoding), configuration);
        var records = new List<string[]>();
        while (parser.Read())
            records.Add(parser.Record ?? []);
        return records;
    }

    private sealed class Sample
    {
        private readonly Random _random;
        private readonly StringBuilder _text = new();
        private readonly bool _spills;

        public Sample(int seed, bool spills = true)
        {
            _random = new Random(seed);
            _spills = spills;
            Delimiter = Pick(',', ';', '\t');
            Encoding = Pick<Encoding>(new UTF8Encoding(false, true), new UTF8Encoding(true, true), new UnicodeEncoding(false, true, true), new UnicodeEncoding(true, true, true));
            var newLine = Pick("\r\n", "\n", "\r");
            Blank(newLine);
            _text.AppendJoin(Delimiter, "S. No.", "Product Name", "Input Image Urls").Append(newLine);
            for (var row = _random.Next(1, 12); row > 0; row--)
            {
                Blank(newLine);
                Row();
                if (row > 1 || _random.Next(2) == 0)
                    _text.Append(newLine);
            }
        }

        public char Delimiter { get; }
        public Encoding Encoding { get; }
        public int Columns => 3;
        public List<(string Serial, string Name, string Urls)> Expected { get; } = [];
        public byte[] Bytes() => [.. Encoding.Preamble, .. Encoding.GetBytes(_text.ToString())];

        public RowOutcome Outcome(ProductRow row) => new(row.Row, [.. row.Urls.Select((_, index) =>
            _random.Next(3) == 0 ? ImageResult.Failed(Pick("not_found", "timeout")) : ImageResult.Succeeded($"https://out.test/{row.Row}-{index}.jpg"))]);

        private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

        private void Blank(string newLine)
        {
            if (_random.Next(4) == 0)
                _text.Append(newLine);
        }

        private void Row()
        {
            var serial = Pick($"{Expected.Count + 1}.", "007", "=1+1", "", "A\"1", "\u00E9 \u4E2D");
            var name = Pick("Shirt", " spaced ", "two\r\nlines", "a,b;c\td", "\"", "\"\"", "👕", "-", "cr\ronly", "");
            var urls = Enumerable.Range(0, _random.Next(1, 6)).Select(_ => Pick(
                "https://a.test/1.jpg", "http://b.test/w_200,h_100/x", "https://c.test/?q=1&r=\u00E9", "https://a.test/1.jpg", "https://d.test/p,q.png?s=3")).ToList();
            Expected.Add((serial, name, string.Join(' ', urls)));
            _text.Append(Cell(serial)).Append(Delimiter).Append(Cell(name)).Append(Delimiter);
            if (_spills && _random.Next(2) == 0)
                _text.AppendJoin(Delimiter, urls);
            else
                _text.Append(Cell(string.Join(Pick(",", ", ", "\n", ",\r\n", " ,\n "), urls)));
        }

        private string Cell(string value) => value.AsSpan().ContainsAny([Delimiter, '"', '\r', '\n']) || _random.Next(5) == 0
            ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : value;
    }
}
