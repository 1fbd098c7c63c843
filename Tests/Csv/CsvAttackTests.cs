using System.Text;
using Darkroom.Csv;
using Microsoft.Extensions.Options;
using static Darkroom.Tests.Csv.CsvTesting;

namespace Darkroom.Tests.Csv;

/// <summary>Measures the memory of the whole process, so no other test may run at the same time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CsvMemory
{
    public const string Name = "CSV memory";
}

[Collection(CsvMemory.Name)]
public sealed class CsvAttackTests
{
    private const int Megabyte = 1024 * 1024;
    private const string Url = "https://shop.test/1.jpg";

    [Theory]
    [InlineData("1,\"", "x", CsvErrorCodes.CellTooLong)]
    [InlineData("1,\"", "x\n", CsvErrorCodes.UnclosedQuote)]
    [InlineData("1,", "x", CsvErrorCodes.CellTooLong)]
    [InlineData("1,a,", "https://a.test/1,", CsvErrorCodes.TooManyColumns)]
    [InlineData("1", ",", CsvErrorCodes.TooManyColumns)]
    [InlineData("1,a,\"", "https://a.test/1, ", CsvErrorCodes.CellTooLong)]
    [InlineData("1,a", ",\"\"", CsvErrorCodes.TooManyColumns)]
    public async Task Endless_record_is_refused_before_it_exhausts_memory(string start, string endless, string code)
    {
        var (validation, growth, taken) = await ValidateEndlessAsync($"{Header}\n1,a,{Url}\n{start}", endless, 64 * Megabyte);
        var error = Assert.Single(validation.Errors);
        Assert.Equal((code, 3L), (error.Code, error.Line));
        Assert.False(validation.ReadToEnd);
        Assert.InRange(taken, 0, 4 * Megabyte);
        Assert.InRange(growth, long.MinValue, 16 * Megabyte);
    }

    [Theory]
    [InlineData("x", CsvErrorCodes.RecordTooLong)]
    [InlineData("x,", CsvErrorCodes.TooManyColumns)]
    [InlineData("\"", CsvErrorCodes.RecordTooLong)]
    [InlineData("\n", CsvErrorCodes.EmptyFile)]
    public async Task Endless_header_is_refused(string endless, string code)
    {
        var (validation, growth, taken) = await ValidateEndlessAsync("", endless, 64 * Megabyte);
        Assert.Equal(code, Assert.Single(validation.Errors).Code);
        Assert.InRange(taken, 0, 4 * Megabyte);
        Assert.InRange(growth, long.MinValue, 16 * Megabyte);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r")]
    [InlineData(",,\n")]
    [InlineData("1,a,\n")]
    [InlineData("1,\"a\"b,x\n")]
    [InlineData("1,a,https://a.test/1.jpg,x.jpg\r\n")]
    public async Task Millions_of_bad_or_blank_lines_take_no_memory(string line)
    {
        var (_, growth, _) = await ValidateEndlessAsync($"{Header}\n", line, 2 * Megabyte);
        Assert.InRange(growth, long.MinValue, 8 * Megabyte);
    }

    [Fact]
    public async Task Record_full_of_bad_cells_is_not_copied_for_each_cell()
    {
        var record = string.Concat(Enumerable.Repeat("a\"" + new string('b', 300) + ",", 2_000)) + "\n";
        var before = GC.GetTotalAllocatedBytes();
        var validation = await ValidateAsync($"{Header}\n{string.Concat(Enumerable.Repeat(record, 10))}");
        Assert.Equal(10, validation.ErrorCount);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100 * Megabyte);
    }

    [Fact]
    public async Task Endless_file_is_refused_at_the_size_limit()
    {
        var (validation, _, taken) = await ValidateEndlessAsync($"{Header}\n", $"1,a,{Url}\n", 64 * Megabyte, new CsvLimits { MaxFileBytes = Megabyte });
        Assert.Equal(CsvErrorCodes.FileTooLarge, Assert.Single(validation.Errors).Code);
        Assert.InRange(taken, Megabyte, Megabyte + 128 * 1024);
    }

    [Fact]
    public async Task Memory_stays_flat_over_three_hundred_thousand_rows()
    {
        const int rows = 300_000;
        var stages = new Dictionary<string, long>();
        var dialect = (await ValidateAsync($"{Header}\r\n1,a,{Url}\r\n")).Dialect!;

        stages["validate"] = await GrowthAsync(async input => Assert.True((await ValidateAsync(input)).IsValid));
        stages["read"] = await GrowthAsync(async input =>
        {
            await foreach (var row in ProductReader.ReadAsync(input, dialect, CancellationToken.None))
                Assert.NotEmpty(row.Urls);
        });
        stages["write"] = await GrowthAsync(input => new OutputCsvWriter(Options.Create(new OutputCsvOptions()))
            .WriteAsync(input, dialect, Outcomes(rows), Stream.Null, CancellationToken.None));
        Assert.All(stages, stage => Assert.InRange(stage.Value, long.MinValue, 2 * Megabyte));

        static async IAsyncEnumerable<RowOutcome> Outcomes(int rows)
        {
            for (var row = 1; row <= rows; row++)
                yield return new RowOutcome(row, [ImageResult.Succeeded("https://out.test/1.jpg"), ImageResult.Failed("not_found")]);
            await Task.CompletedTask;
        }

        // Compares the memory held near the end with that near the start.
        static async Task<long> GrowthAsync(Func<Stream, Task> run)
        {
            var (early, late, read) = (0L, 0L, 0);
            await run(new GeneratedStream(Rows(), _ =>
            {
                if (++read == 20)
                    early = GC.GetTotalMemory(forceFullCollection: true);
                else if (read == 290)
                    late = GC.GetTotalMemory(forceFullCollection: true);
            }));
            Assert.NotEqual(0, late);
            return late - early;
        }

        static IEnumerable<byte[]> Rows()
        {
            yield return Encoding.UTF8.GetBytes(Header + "\r\n");
            for (var block = 0; block < rows / 1_000; block++)
                yield return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(1, 1_000).Select(row => $"{block}{row},\"Name {row}\",\"{Url}?{row}, {Url}\"\r\n")));
        }
    }

    private static async Task<(CsvValidationResult Validation, long Growth, long Taken)> ValidateEndlessAsync(string start, string endless, int bytes, CsvLimits? limits = null)
    {
        var block = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(endless, 64 * 1024 / endless.Length)));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (most, next) = (before, 0L);
        using var stream = new GeneratedStream(Enumerable.Repeat(block, bytes / block.Length).Prepend(Encoding.UTF8.GetBytes(start)), taken =>
        {
            if (taken < next)
                return;
            next = taken + Megabyte / 2;
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
        });
        return (await ValidateAsync(stream, limits), most - before, stream.BytesTaken);
    }
}
