using System.Text;
using Darkroom.Csv;
using static Darkroom.Tests.Csv.CsvTesting;

namespace Darkroom.Tests.Csv;

public sealed class OutputCsvWriterTests
{
    private const string Url = "https://shop.test/1.jpg";
    private const string OutputHeader = Header + ",Output Image Urls,Errors";

    [Fact]
    public async Task Each_row_gets_two_cells_and_is_otherwise_unchanged() => Assert.Equal(
        $"\r\n{OutputHeader}\r\n1.,\"a \"\"b\"\"\r\nc\",\"{Url}, {Url}\",\"https://out.test/1-1.jpg, https://out.test/1-2.jpg\",\n\n2, b ,{Url},https://out.test/2-1.jpg,",
        await WriteAsync($"\r\n{Header}\r\n1.,\"a \"\"b\"\"\r\nc\",\"{Url}, {Url}\"\n\n2, b ,{Url}"));

    [Fact]
    public async Task Failed_image_leaves_its_slot_empty_and_its_code_at_its_position()
    {
        var output = await WriteAsync($"{Header}\n1,a,\"{Url}, {Url}, {Url}\"\n2,b,{Url}\n3,c,\"{Url}, {Url}\"\n", row => new(row.Row, row.Row switch
        {
            1 => [ImageResult.Failed("not_found"), ImageResult.Succeeded("https://out.test/x.jpg"), ImageResult.Failed("timeout")],
            2 => [ImageResult.Failed("not_found")],
            _ => [ImageResult.Failed("a"), ImageResult.Failed("b")],
        }));
        Assert.Equal([
            OutputHeader,
            $"1,a,\"{Url}, {Url}, {Url}\",\", https://out.test/x.jpg, \",1: not_found; 3: timeout",
            $"2,b,{Url},,1: not_found",
            $"3,c,\"{Url}, {Url}\",\", \",1: a; 2: b",
            "",
        ], output.Split('\n'));
    }

    [Theory]
    [InlineData($"{Url},https://a.test/2.jpg", $"\"{Url},https://a.test/2.jpg\"")]
    [InlineData($"{Url}, https://a.test/2.jpg,,", $"\"{Url}, https://a.test/2.jpg\"")]
    [InlineData($"\"{Url}\",\"https://a.test/2.jpg\"", $"\"{Url},https://a.test/2.jpg\"")]
    [InlineData("https://a.test/1,2.jpg", "\"https://a.test/1,2.jpg\"")]
    public async Task Spilled_list_becomes_one_quoted_cell(string spilled, string gathered)
    {
        var output = await WriteAsync($"{Header}\r\n\"1\",\"a, \"\"b\"\"\",{spilled}\r\n");
        Assert.StartsWith($"{OutputHeader}\r\n\"1\",\"a, \"\"b\"\"\",{gathered},", output, StringComparison.Ordinal);
        Assert.Equal(5, (await RecordsAsync(Encoding.UTF8.GetBytes(output)))[1].Length);
    }

    [Fact]
    public async Task List_spilled_under_another_delimiter_becomes_one_quoted_cell() => Assert.Equal(
        $"S. No.;Product Name;Input Image Urls;;Output Image Urls;Errors\n1;a;\"{Url}, {Url}\";;https://out.test/1-1.jpg, https://out.test/1-2.jpg;\n",
        await WriteAsync($"S. No.;Product Name;Input Image Urls;\n1;a;{Url};{Url}\n"));

    [Fact]
    public async Task Added_cells_line_up_with_their_headers_in_ragged_rows()
    {
        var output = await WriteAsync($"S. No.,Input Image Urls,Product Name,Notes,\n1,{Url}\n2,{Url},b,n,\n3,{Url},c,n,,,,\n,,\n");
        var records = await RecordsAsync(Encoding.UTF8.GetBytes(output));
        Assert.All(records, record => Assert.Equal(7, record.Length));
        Assert.Equal(["Output Image Urls", "https://out.test/1-1.jpg", "https://out.test/2-1.jpg", "https://out.test/3-1.jpg", ""], records.Select(record => record[5]));
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-8 bom")]
    [InlineData("utf-16le")]
    [InlineData("utf-16be")]
    public async Task Encoding_and_byte_order_mark_are_kept(string name)
    {
        Encoding coding = name switch
        {
            "utf-8" => new UTF8Encoding(false),
            "utf-8 bom" => new UTF8Encoding(true),
            "utf-16le" => new UnicodeEncoding(false, true),
            _ => new UnicodeEncoding(true, true),
        };
        byte[] Bytes(string text) => [.. coding.Preamble, .. coding.GetBytes(text)];
        Assert.Equal(Bytes($"{OutputHeader}\r1,Größe 👕,{Url},https://out.test/1-1.jpg,\r"), await WriteAsync(Bytes($"{Header}\r1,Größe 👕,{Url}\r")));
    }

    [Fact]
    public async Task Outcomes_that_do_not_match_the_rows_are_never_written()
    {
        var csv = Encoding.UTF8.GetBytes($"{Header}\n1,a,{Url}\n2,b,{Url}\n");
        static RowOutcome Row(int row, int images = 1) => new(row, [.. Enumerable.Repeat(ImageResult.Succeeded("https://out.test/1"), images)]);
        RowOutcome[][] mismatches = [[], [Row(1)], [Row(2), Row(1)], [Row(1), Row(1)], [Row(1), Row(3)], [Row(1), Row(2), Row(3)], [Row(1), Row(2, 2)], [Row(1), Row(2, 0)]];
        foreach (var mismatch in mismatches)
            await Assert.ThrowsAsync<InvalidDataException>(() => WriteAsync(csv, mismatch.ToAsyncEnumerable()));
    }

    [Fact]
    public async Task Writing_again_gives_the_same_bytes()
    {
        var csv = Encoding.UTF8.GetBytes($"{Header}\n1,a,{Url}\n");
        Assert.Equal(await WriteAsync(csv), await WriteAsync(csv));
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(1)")]
    [InlineData("\t=1")]
    [InlineData("\"\r\n=1\"")]
    [InlineData("＝1+1")]
    [InlineData("\"=1+\"\"1\"\"\"")]
    [InlineData("'=1")]
    [InlineData("'harmless")]
    public async Task Formulas_in_the_input_are_escaped_only_if_configured(string cell)
    {
        var csv = $"Notes,{Header}\n{cell},{cell},{cell},{Url}\n";
        Assert.Contains($"\n{cell},{cell},{cell},{Url},https", await WriteAsync(csv), StringComparison.Ordinal);

        var guarded = await WriteAsync(csv, options: new OutputCsvOptions { GuardInputCells = true });
        var original = (await RecordsAsync(Encoding.UTF8.GetBytes(csv)))[1];
        var cells = (await RecordsAsync(Encoding.UTF8.GetBytes(guarded)))[1];
        Assert.All(cells, value => Assert.False(value.Length > 0 && "=+-@\t\r\n\0＝＋－＠".Contains(value[0], StringComparison.Ordinal)));
        Assert.Equal(original, cells[..4].Select(value => FormulaGuard.IsDangerous(value) ? value[1..] : value));
    }

    [Fact]
    public async Task Formulas_in_added_cells_are_always_escaped()
    {
        var output = await WriteAsync($"{Header}\n1,a,{Url}\n", row => new(row.Row, [ImageResult.Succeeded("=cmd|'/C_calc'!A0")]));
        Assert.EndsWith(",\"'=cmd|'/C_calc'!A0\",\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://out.test/a b")]
    [InlineData("https://out.test/\n")]
    [InlineData("")]
    public void Output_url_that_could_not_be_read_back_is_refused(string url) =>
        Assert.Throws<ArgumentException>(() => OutputUrlList.Format([url]));

    [Fact]
    public void Output_list_round_trips()
    {
        foreach (string?[] slots in new string?[][] { [null], [null, null], ["https://a/1"], [null, "https://a/1", null], ["https://a/1,https://b/2", null] })
        {
            var cell = OutputUrlList.Format(slots);
            Assert.Equal(slots.Select(slot => slot?.Replace(",", "%2C", StringComparison.Ordinal)), OutputUrlList.Parse(cell));
        }
        var urls = new List<Range>();
        var full = OutputUrlList.Format(["https://a.test/1,https://b.test/2", "https://a.test/3"]);
        Assert.Equal(UrlListFault.None, UrlList.Split(full, urls, 10, out _));
        Assert.Equal(OutputUrlList.Parse(full), urls.Select(range => full[range]));
    }
}
