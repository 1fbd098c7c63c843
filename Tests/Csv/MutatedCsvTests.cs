using System.Text;
using Darkroom.Csv;
using static Darkroom.Tests.Csv.CsvTesting;

namespace Darkroom.Tests.Csv;

public sealed class MutatedCsvTests
{
    /// <summary>
    /// Inserts random bytes and grammar fragments into a valid file, from fixed seeds. Validation must never throw, and all readers must
    /// agree.
    /// </summary>
    [Fact]
    public async Task Mutated_files_are_validated_and_valid_ones_are_read_and_written()
    {
        var original = Encoding.UTF8.GetBytes($"{Header},Notes\r\n1.,\"a, \"\"b\"\"\",\"https://a.test/1.jpg, https://a.test/2.jpg\",x\r\n\r\n2,é,https://a.test/3,\r\n");
        byte[][] pieces = [.. new[] { ",", "\"", "\"\"", "\r", "\n", ";", "\t", "\0", " ", "https://", ", ", ",,", "\uFEFF", "=", "👕" }.Select(Encoding.UTF8.GetBytes), [0xC3], [0xFF, 0xFE]];
        var valid = 0;
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var csv = original.ToList();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                var at = random.Next(csv.Count);
                if (random.Next(3) == 0)
                    csv.RemoveRange(at, Math.Min(random.Next(1, 4), csv.Count - at));
                else
                    csv.InsertRange(at, pieces[random.Next(pieces.Length)]);
            }

            var validation = await ValidateAsync([.. csv]);
            Assert.Equal(validation.ErrorCount == 0, validation.IsValid);
            Assert.All(validation.Errors, error => Assert.InRange(error.Line, 1, 40));
            if (!validation.IsValid)
                continue;
            valid++;
            var rows = await ReadAsync([.. csv]);
            var output = await WriteAsync([.. csv]);
            await AssertHoldsSlotsAsync(output, validation.Dialect!, rows);
        }
        Assert.InRange(valid, 100, 1_900);
    }

    private static async Task AssertHoldsSlotsAsync(byte[] output, CsvDialect dialect, List<ProductRow> rows)
    {
        var records = (await RecordsAsync(output, dialect.Delimiter)).Where(record => !record.All(string.IsNullOrWhiteSpace)).ToList();
        Assert.Equal(rows.Count + 1, records.Count);
        Assert.All(records, record => Assert.Equal(dialect.HeaderCells + 2, record.Length));
        Assert.Equal(rows.Select(row => row.Urls.Count), records.Skip(1).Select(record => OutputUrlList.Parse(record[^2]).Count));
        Assert.Equal(rows.Select(row => row.Serial), records.Skip(1).Select(record => record[dialect.SerialColumn]));
    }
}
