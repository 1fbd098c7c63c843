using System.Text;
using System.Text.Json;
using Darkroom.Csv;
using static Darkroom.Tests.Csv.CsvTesting;

namespace Darkroom.Tests.Csv;

public sealed class AcceptedCsvTests
{
    private const string Url = "https://shop.test/1.jpg";

    [Theory]
    [InlineData("S. No.")]
    [InlineData("S.No")]
    [InlineData("s. no")]
    [InlineData("S. No")]
    [InlineData("Serial Number")]
    [InlineData("SerialNumber")]
    [InlineData("serial_number")]
    [InlineData(" SERIAL  NUMBER ")]
    public async Task Serial_column_may_have_several_names(string name) =>
        Assert.Equal("1.", Assert.Single(await ReadAsync($"{name},Product Name,Input Image Urls\n1.,a,{Url}\n")).Serial);

    [Theory]
    [InlineData("Input Image Urls")]
    [InlineData("InputImageUrls")]
    [InlineData("Input Image URLs")]
    [InlineData("INPUT IMAGE URLS")]
    [InlineData("\"Input Image\nUrls\"")]
    public async Task Url_column_may_have_several_names(string name) =>
        Assert.Equal(Url, Assert.Single(Assert.Single(await ReadAsync($"S. No.,product name,{name}\n1.,a,{Url}\n")).Urls));

    [Fact]
    public async Task Columns_may_be_in_any_order_and_have_others_between()
    {
        var row = Assert.Single(await ReadAsync($"Price,Input Image Urls,Notes,Product Name,Notes,Serial Number\n9,{Url},x,Shirt,y,007\n"));
        Assert.Equal(("007", "Shirt", Url), (row.Serial, row.Name, Assert.Single(row.Urls)));
    }

    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('\t')]
    public async Task Delimiter_is_detected(char delimiter)
    {
        var csv = $"S. No.,Product Name,Input Image Urls\n1,Shirt,{Url}\n".Replace(',', delimiter);
        Assert.Equal(delimiter, (await ValidateAsync(csv)).Dialect!.Delimiter);
        Assert.Equal("Shirt", Assert.Single(await ReadAsync(csv)).Name);
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    [InlineData("\r")]
    public async Task Line_ending_is_detected_and_lines_are_counted_by_it(string newLine)
    {
        var csv = string.Join(newLine, Header, $"1,a,{Url}", $"2,b,{Url}");
        Assert.Equal(newLine, (await ValidateAsync(csv)).Dialect!.NewLine);
        Assert.Equal([2, 3], (await ReadAsync(csv)).Select(row => row.Line));
    }

    [Fact]
    public async Task Line_endings_may_differ_within_a_file() =>
        Assert.Equal([2, 3, 4], (await ReadAsync($"{Header}\r\n1,a,{Url}\n2,b,{Url}\r3,c,{Url}\r\n")).Select(row => row.Line));

    [Theory]
    [InlineData("utf-8", false)]
    [InlineData("utf-8", true)]
    [InlineData("utf-16le", true)]
    [InlineData("utf-16be", true)]
    public async Task Encoding_is_detected(string encoding, bool bom)
    {
        Encoding coding = encoding switch
        {
            "utf-16le" => new UnicodeEncoding(bigEndian: false, byteOrderMark: bom),
            "utf-16be" => new UnicodeEncoding(bigEndian: true, byteOrderMark: bom),
            _ => new UTF8Encoding(bom),
        };
        byte[] csv = [.. coding.Preamble, .. coding.GetBytes($"{Header}\r\n1.,Größe 👕,https://shop.test/größe.jpg\r\n")];

        var dialect = (await ValidateAsync(csv)).Dialect!;
        Assert.Equal((encoding, bom), (JsonSerializer.SerializeToElement(dialect.Encoding).GetString(), dialect.Bom));
        var row = Assert.Single(await ReadAsync(csv));
        Assert.Equal(("Größe 👕", "https://shop.test/größe.jpg"), (row.Name, row.Urls[0]));
    }

    [Fact]
    public async Task A_file_that_arrives_byte_by_byte_is_read_the_same()
    {
        foreach (var coding in new Encoding[] { new UTF8Encoding(true), new UnicodeEncoding(false, true), new UnicodeEncoding(true, true) })
        {
            byte[] csv = [.. coding.Preamble, .. coding.GetBytes($"{Header}\r\n1.,\"a 👕\r\n\"\"b\"\"\",\"{Url},\r\n{Url}\"\r\n2,é,{Url}\r\n")];
            var validation = await ValidateAsync(new GeneratedStream(csv.Select(b => new[] { b })));
            Assert.True(validation.IsValid, string.Join('\n', validation.Errors));
            Assert.Equal((2, 3), (validation.Products, validation.Images));
        }
    }

    [Theory]
    [InlineData("\"https://a.test/1.jpg,https://a.test/2.jpg\"")]
    [InlineData("\"https://a.test/1.jpg, https://a.test/2.jpg\"")]
    [InlineData("\"https://a.test/1.jpg\nhttps://a.test/2.jpg\"")]
    [InlineData("\"https://a.test/1.jpg,\r\nhttps://a.test/2.jpg\r\n\"")]
    [InlineData("\" https://a.test/1.jpg , https://a.test/2.jpg , \"")]
    [InlineData("https://a.test/1.jpg,https://a.test/2.jpg")]
    [InlineData("https://a.test/1.jpg, https://a.test/2.jpg")]
    [InlineData("\"https://a.test/1.jpg\",\"https://a.test/2.jpg\"")]
    [InlineData("https://a.test/1.jpg,https://a.test/2.jpg,,,")]
    public async Task List_may_be_quoted_or_spill(string cell) =>
        Assert.Equal(["https://a.test/1.jpg", "https://a.test/2.jpg"], await UrlsOfAsync(cell));

    [Theory]
    [InlineData(';')]
    [InlineData('\t')]
    public async Task List_may_spill_under_other_delimiters(char delimiter)
    {
        var csv = $"S. No.,Product Name,Input Image Urls\n1,a,{Url},https://a.test/2.jpg\n".Replace(',', delimiter);
        Assert.Equal([Url, "https://a.test/2.jpg"], Assert.Single(await ReadAsync(csv)).Urls);
    }

    [Fact]
    public async Task List_may_spill_under_unnamed_headers() =>
        Assert.Equal([Url, Url, Url], Assert.Single(await ReadAsync($"{Header},,\n1,a,{Url},{Url},{Url}\n")).Urls);

    [Theory]
    [InlineData("https://a.test/w_200,h_100,c_fill/x")]
    [InlineData("https://a.test/photo,large.jpg")]
    [InlineData("https://a.test/1?size=100,200&format=webp")]
    [InlineData("https://a.test/image/12345")]
    [InlineData("https://a.test/?u=https://b.test/1.jpg")]
    [InlineData("https://a.test/a,v1.0/photo.jpg")]
    public async Task Url_may_have_commas_and_queries_and_no_extension(string url)
    {
        Assert.Equal([url], await UrlsOfAsync($"\"{url}\""));
        Assert.Equal([url], await UrlsOfAsync(url));
        Assert.Equal([url, Url, url], await UrlsOfAsync($"\"{url}, {Url}, {url}\""));
    }

    [Fact]
    public async Task Duplicate_urls_are_kept() => Assert.Equal([Url, Url, Url], await UrlsOfAsync($"\"{Url}, {Url},{Url}\""));

    [Fact]
    public async Task Blank_lines_count_as_lines_and_not_as_rows()
    {
        var rows = await ReadAsync($"\n\n{Header}\n\n1,a,{Url}\n   \n,,\n2,b,{Url}\n\n");
        Assert.Equal([(1, 5L), (2, 8L)], rows.Select(row => (row.Row, row.Line)));
    }

    [Fact]
    public async Task Serials_and_names_stay_as_written()
    {
        var row = Assert.Single(await ReadAsync($"{Header}\n 007. ,\"Two \"\"big\"\"\nlines \",{Url}"));
        Assert.Equal((" 007. ", "Two \"big\"\nlines "), (row.Serial, row.Name));
    }

    [Fact]
    public async Task Row_may_end_after_its_urls_if_more_columns_follow() =>
        Assert.Equal([Url], Assert.Single(await ReadAsync($"{Header},Notes,Price\n1,a,{Url}\n")).Urls);

    [Fact]
    public async Task Dialect_round_trips_through_json()
    {
        var dialect = (await ValidateAsync($"Notes;Product Name;Input Image Urls;S.No;;\r\nx;a;{Url};1\r\n")).Dialect;
        Assert.Equal(new CsvDialect(';', CsvEncoding.Utf8, false, "\r\n", 6, 4, 3, 1, 2), dialect);
        Assert.Equal(dialect, JsonSerializer.Deserialize<CsvDialect>(JsonSerializer.Serialize(dialect)));
        Assert.Contains("\"utf-8\"", JsonSerializer.Serialize(dialect), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_other_than_the_validated_one_is_not_read()
    {
        var dialect = (await ValidateAsync($"{Header}\n1,a,{Url}\n")).Dialect!;
        foreach (var other in new[] { $"Product Name,S. No.,Input Image Urls\n1,a,{Url}\n", $"{Header}\n1,a,{Url}\n2,b\n", $"{Header}\n1,a\"b,{Url}\n", "" })
        {
            var stream = new MemoryStream(Encoding.UTF8.GetBytes(other));
            await Assert.ThrowsAsync<InvalidDataException>(() => ProductReader.ReadAsync(stream, dialect, CancellationToken.None).ToListAsync());
        }
    }

    [Fact]
    public async Task Reading_stops_when_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        var rows = Enumerable.Repeat(Encoding.UTF8.GetBytes($"1,a,{Url}\n"), 1_000_000).Prepend(Encoding.UTF8.GetBytes(Header + "\n"));
        var stream = new CancellableStream(new GeneratedStream(rows, taken =>
        {
            if (taken > 200_000)
                cancelled.Cancel();
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new CsvValidator(Microsoft.Extensions.Options.Options.Create(new CsvLimits())).ValidateAsync(stream, cancelled.Token));
    }

    private sealed class CancellableStream(Stream inner) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return inner.ReadAsync(buffer, cancellationToken);
        }
    }
}
