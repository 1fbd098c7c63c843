using System.Text;
using Darkroom.Csv;
using static Darkroom.Tests.Csv.CsvTesting;

namespace Darkroom.Tests.Csv;

public sealed class RefusedCsvTests
{
    private const string Url = "https://shop.test/1.jpg";

    [Theory]
    [InlineData("", CsvErrorCodes.EmptyFile, 1, null)]
    [InlineData("\n \n,,\n", CsvErrorCodes.EmptyFile, 1, null)]
    [InlineData("S. No.,Product Name,Input Image Urls", CsvErrorCodes.NoRows, 2, null)]
    [InlineData("S. No.,Product Name,Input Image Urls\n\n\n", CsvErrorCodes.NoRows, 4, null)]
    [InlineData("S. No.,Product Name\n1,a\n", CsvErrorCodes.MissingColumn, 1, null)]
    [InlineData("\nS. No.,Input Image Urls\n1,https://a.test/1\n", CsvErrorCodes.MissingColumn, 2, null)]
    [InlineData("S. No.|Product Name|Input Image Urls\n", CsvErrorCodes.MissingColumn, 1, null, 3)]
    [InlineData("S. No.,Product Name,Input Image Urls,Serial Number\n", CsvErrorCodes.DuplicateColumn, 1, 4)]
    [InlineData("S. No.,Product Name,Input Image Urls,InputImageUrls\n", CsvErrorCodes.DuplicateColumn, 1, 4)]
    [InlineData("S. No.,Product Name,Input Image Urls,Output Image Urls\n1,a,https://a.test/1,\n", CsvErrorCodes.ReservedColumn, 1, 4)]
    [InlineData("errors,S. No.,Product Name,Input Image Urls\n,1,a,https://a.test/1\n", CsvErrorCodes.ReservedColumn, 1, 1)]
    [InlineData("S. No.,\"Product\" Name,Input Image Urls\n", CsvErrorCodes.StrayQuote, 1, 2)]
    public async Task File_with_a_bad_format_is_refused(string csv, string code, int line, int? column, int count = 1)
    {
        var validation = await ValidateAsync(csv);
        Assert.Equal(count, validation.ErrorCount);
        Assert.Equal((code, (long)line, column), (validation.Errors[0].Code, validation.Errors[0].Line, validation.Errors[0].Column));
    }

    [Theory]
    [InlineData("2,b,", CsvErrorCodes.MissingUrl, 3)]
    [InlineData("2,b", CsvErrorCodes.MissingUrl, 3)]
    [InlineData("2,b,\"  \n \"", CsvErrorCodes.MissingUrl, 3)]
    [InlineData("2,b,\"https://a.test/1, ,https://a.test/2\"", CsvErrorCodes.EmptyUrl, 3)]
    [InlineData("2,b,\"https://a.test/1,,https://a.test/2\"", CsvErrorCodes.EmptyUrl, 3)]
    [InlineData("2,b,https://a.test/1,,https://a.test/2", CsvErrorCodes.EmptyUrl, 3)]
    [InlineData("2,b,,https://a.test/2", CsvErrorCodes.EmptyUrl, 3)]
    [InlineData("2,b,\"https://a.test/1.jpg,2.jpg\"", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,https://a.test/1.jpg,extra,extra", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,\"https://a.test/1,cdn.test/2.jpg\"", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,\"https://a.test/1,www.b.test\"", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,\"https://a.test/1,//b.test/2\"", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,\"https://a.test/1,10.0.0.1:80/2\"", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,https://a.test/1;https://a.test/2", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,https://a.test/1|https://a.test/2", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,https://a.test/1 https://a.test/2", CsvErrorCodes.AmbiguousUrlList, 3)]
    [InlineData("2,b,https://a.test/1 2.jpg", CsvErrorCodes.InvalidUrl, 3)]
    [InlineData("2,b,1.jpg", CsvErrorCodes.InvalidUrl, 3)]
    [InlineData("2,b,ftp://a.test/1.jpg", CsvErrorCodes.UnsupportedScheme, 3)]
    [InlineData("2,b,https://user@a.test/1.jpg", CsvErrorCodes.UrlHasCredentials, 3)]
    [InlineData("2,b\"c,https://a.test/1", CsvErrorCodes.StrayQuote, 2)]
    [InlineData("2,\"b\"c,https://a.test/1", CsvErrorCodes.StrayQuote, 2)]
    [InlineData("2,\"b\" ,https://a.test/1", CsvErrorCodes.StrayQuote, 2)]
    [InlineData("2, \"b\",https://a.test/1", CsvErrorCodes.StrayQuote, 2)]
    [InlineData("2,\"b \"c\" d\",https://a.test/1", CsvErrorCodes.StrayQuote, 2)]
    public async Task Bad_row_is_refused_at_its_line_and_the_rest_is_still_validated(string row, string code, int column)
    {
        var validation = await ValidateAsync($"{Header}\n1,a,{Url}\n{row}\n3,c,{Url}\n4,d,\n");
        Assert.Equal(2, validation.ErrorCount);
        Assert.Equal((code, 3L, column), (validation.Errors[0].Code, validation.Errors[0].Line, validation.Errors[0].Column));
        Assert.Equal((CsvErrorCodes.MissingUrl, validation.Errors[0].Line + 2 + row.Count(c => c == '\n')), (validation.Errors[1].Code, validation.Errors[1].Line));
        Assert.True(validation.ReadToEnd);
        Assert.Equal(4, validation.Products);
    }

    [Theory]
    [InlineData("2,\"b,https://a.test/1\n3,c,https://a.test/1\n", 2)]
    [InlineData("2,\"b", 2)]
    [InlineData("2,b,\"", 3)]
    [InlineData("2,b,\"https://a.test/1\"\"", 3)]
    public async Task Unclosed_quote_is_reported_where_its_row_starts(string rest, int column)
    {
        var error = await OnlyErrorAsync($"{Header}\n1,a,{Url}\n{rest}");
        Assert.Equal((CsvErrorCodes.UnclosedQuote, 3L, column), (error.Code, error.Line, error.Column));
    }

    [Fact]
    public async Task Text_after_a_closing_quote_at_the_end_of_the_file_is_not_an_unclosed_quote()
    {
        Assert.Equal(CsvErrorCodes.StrayQuote, (await OnlyErrorAsync($"{Header}\n1,\"Hey, I missed \" it\",{Url}")).Code);
        Assert.Equal(CsvErrorCodes.StrayQuote, (await OnlyErrorAsync($"{Header}\n1,a,{Url}\"")).Code);
    }

    [Fact]
    public async Task More_cells_than_names_are_refused_if_the_list_is_not_last()
    {
        var error = await OnlyErrorAsync($"S. No.,Input Image Urls,Product Name\n1,{Url},{Url},Shirt\n");
        Assert.Equal((CsvErrorCodes.ExtraCells, 2L, 4), (error.Code, error.Line, error.Column));
    }

    [Fact]
    public async Task Cells_after_a_list_that_are_not_urls_are_never_merged_into_a_url()
    {
        var error = await OnlyErrorAsync("S. No.;Product Name;Input Image Urls\n1;a;https://a.test/x;v=1\n");
        Assert.Equal((CsvErrorCodes.AmbiguousUrlList, 2L, 3, "v=1"), (error.Code, error.Line, error.Column, error.Value));
        error = await OnlyErrorAsync("S. No.;Product Name;Input Image Urls\n1;a;https://a.test/1;;https://a.test/2\n");
        Assert.Equal(CsvErrorCodes.EmptyUrl, error.Code);
    }

    [Fact]
    public async Task Invalid_utf8_is_refused_at_its_line()
    {
        var csv = Encoding.Latin1.GetBytes($"{Header}\n1,a,{Url}\n2,Größe,{Url}\n");
        var error = Assert.Single((await ValidateAsync(csv)).Errors);
        Assert.Equal((CsvErrorCodes.InvalidEncoding, 3L, 2, "0xF6"), (error.Code, error.Line, error.Column, error.Value));
    }

    [Fact]
    public async Task Invalid_utf8_is_found_after_long_valid_text_and_after_earlier_errors()
    {
        var rows = string.Concat(Enumerable.Repeat($"1,ä,{Url}\n", 10_000));
        byte[] csv = [.. Encoding.UTF8.GetBytes($"{Header}\n1,a,\n{rows}"), 0xC3];
        var validation = await ValidateAsync(csv);
        Assert.Equal([(CsvErrorCodes.MissingUrl, 2L), (CsvErrorCodes.InvalidEncoding, 10_003L)], validation.Errors.Select(error => (error.Code, error.Line)));
        Assert.False(validation.ReadToEnd);
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0xAE })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xF8, 0x88, 0x80, 0x80, 0x80 })]
    [InlineData(new byte[] { 0xFF })]
    public async Task Overlong_surrogate_and_impossible_utf8_is_refused(byte[] bytes)
    {
        byte[] csv = [.. Encoding.UTF8.GetBytes($"{Header}\n1,a,https://a.test/"), .. bytes, .. "\n"u8];
        Assert.Equal((CsvErrorCodes.InvalidEncoding, 2L), (Assert.Single((await ValidateAsync(csv)).Errors).Code, 2L));
    }

    [Fact]
    public async Task Encoding_error_in_the_header_is_reported_instead_of_a_missing_column()
    {
        var error = Assert.Single((await ValidateAsync(Encoding.Latin1.GetBytes($"Größe,{Header}\n1,1,a,{Url}\n"))).Errors);
        Assert.Equal((CsvErrorCodes.InvalidEncoding, 1L), (error.Code, error.Line));
    }

    [Theory]
    [InlineData(false, 0xD83D)]
    [InlineData(true, 0xDC55)]
    public async Task Lone_surrogate_in_utf16_is_refused(bool bigEndian, int surrogate)
    {
        var lone = (char)surrogate;
        var coding = new UnicodeEncoding(bigEndian, byteOrderMark: true);
        byte[] Bytes(string text) => [.. text.SelectMany(c => bigEndian ? new[] { (byte)(c >> 8), (byte)c } : [(byte)c, (byte)(c >> 8)])];
        byte[] csv = [.. coding.Preamble, .. Bytes($"{Header}\n1,a,{Url}\n2,{lone},{Url}\n")];
        var error = Assert.Single((await ValidateAsync(csv)).Errors);
        Assert.Equal((CsvErrorCodes.InvalidEncoding, 3L), (error.Code, error.Line));
    }

    [Fact]
    public async Task Odd_byte_at_the_end_of_utf16_is_refused()
    {
        byte[] csv = [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes($"{Header}\n1,a,{Url}\n"), 0x20];
        Assert.Equal(CsvErrorCodes.InvalidEncoding, Assert.Single((await ValidateAsync(csv)).Errors).Code);
    }

    [Fact]
    public async Task Utf16_without_byte_order_mark_is_refused_with_a_hint()
    {
        var error = Assert.Single((await ValidateAsync(Encoding.Unicode.GetBytes($"{Header}\n1,a,{Url}\n"))).Errors);
        Assert.Equal(CsvErrorCodes.NulCharacter, error.Code);
        Assert.Contains("UTF-16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Utf32_is_refused()
    {
        foreach (var coding in new Encoding[] { new UTF32Encoding(false, true), new UTF32Encoding(true, true) })
        {
            byte[] csv = [.. coding.Preamble, .. coding.GetBytes($"{Header}\n1,a,{Url}\n")];
            Assert.Equal(CsvErrorCodes.UnsupportedEncoding, Assert.Single((await ValidateAsync(csv)).Errors).Code);
        }
    }

    [Theory]
    [InlineData("PK\u0003\u0004rest")]
    [InlineData("\u001F\u008B\u0008rest")]
    [InlineData("\u0089PNG\r\n\u001A\n")]
    [InlineData("\u00FF\u00D8\u00FF\u00E0")]
    [InlineData("BZh91AY")]
    [InlineData("%PDF-1.7")]
    [InlineData("\u00D0\u00CF\u0011\u00E0\u00A1\u00B1\u001A\u00E1")]
    public async Task Other_file_types_are_named(string head)
    {
        var error = Assert.Single((await ValidateAsync(Encoding.Latin1.GetBytes(head + new string('x', 100)))).Errors);
        Assert.Equal((CsvErrorCodes.NotCsv, 1L), (error.Code, error.Line));
    }

    [Theory]
    [InlineData("1,a\0b,https://a.test/1", 2)]
    [InlineData("1,a,https://a.test/\0", 3)]
    public async Task Nul_is_refused_at_its_line_and_cell(string row, int column)
    {
        var error = await OnlyErrorAsync($"{Header}\n1,a,{Url}\n{row}\n");
        Assert.Equal((CsvErrorCodes.NulCharacter, 3L, column), (error.Code, error.Line, error.Column));
    }

    [Fact]
    public async Task Errors_are_listed_up_to_a_limit_and_counted_beyond_it()
    {
        var validation = await ValidateAsync($"{Header}\n{string.Concat(Enumerable.Repeat("1,a,x y\n", 1_234))}");
        Assert.Equal(100, validation.Errors.Count);
        Assert.Equal(1_234, validation.ErrorCount);
        Assert.Equal(Enumerable.Range(2, 100).Select(line => (long)line), validation.Errors.Select(error => error.Line));
    }

    [Fact]
    public async Task Every_bad_url_in_a_row_is_a_separate_error()
    {
        var validation = await ValidateAsync($"{Header}\n1,a,\"{Url}, ftp://a.test/2, x\"\n");
        Assert.Equal([CsvErrorCodes.UnsupportedScheme, CsvErrorCodes.InvalidUrl], validation.Errors.Select(error => error.Code));
        Assert.Equal(["ftp://a.test/2", "x"], validation.Errors.Select(error => error.Value));
        Assert.StartsWith("URL 2 of 3", validation.Errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_in_errors_are_truncated_and_escaped()
    {
        var error = await OnlyErrorAsync($"{Header}\n1,a,\"https://a.test/\u001B[31m\u202E{new string('x', 1_000)}\"\n");
        Assert.StartsWith("https://a.test/\\u001B[31m\\u202E", error.Value, StringComparison.Ordinal);
        Assert.InRange(error.Value!.Length, 100, 140);
    }

    [Fact]
    public async Task Lines_inside_quoted_cells_are_counted()
    {
        var validation = await ValidateAsync($"{Header}\r\n1,\"a\r\nb\nc\rd\",{Url}\r\n2,b,\r\n");
        Assert.Equal(6, Assert.Single(validation.Errors).Line);
    }

    [Theory]
    [InlineData(nameof(CsvLimits.MaxRows), CsvErrorCodes.TooManyRows, 4)]
    [InlineData(nameof(CsvLimits.MaxImages), CsvErrorCodes.TooManyImages, 3)]
    [InlineData(nameof(CsvLimits.MaxImagesPerRow), CsvErrorCodes.TooManyImagesInRow, 3)]
    [InlineData(nameof(CsvLimits.MaxUrlLength), CsvErrorCodes.UrlTooLong, 2)]
    [InlineData(nameof(CsvLimits.MaxColumns), CsvErrorCodes.TooManyColumns, 3)]
    [InlineData(nameof(CsvLimits.MaxFileBytes), CsvErrorCodes.FileTooLarge, null)]
    public async Task Limits_are_enforced(string limit, string code, int? line)
    {
        var limits = new CsvLimits();
        var property = typeof(CsvLimits).GetProperty(limit)!;
        property.SetValue(limits, Convert.ChangeType(limit switch
        {
            nameof(CsvLimits.MaxUrlLength) => 24,
            nameof(CsvLimits.MaxColumns) => 4,
            nameof(CsvLimits.MaxFileBytes) => 100,
            nameof(CsvLimits.MaxImages) => 3,
            _ => 2,
        }, property.PropertyType, System.Globalization.CultureInfo.InvariantCulture));

        var validation = await ValidateAsync($"{Header}\n1,a,{Url}?longer\n2,b,{Url},{Url},{Url}\n3,c,{Url}\n4,d,{Url}\n", limits);
        var error = validation.Errors[0];
        Assert.Equal(code, error.Code);
        Assert.Equal(line ?? error.Line, error.Line);
    }

    [Fact]
    public void Limits_that_contradict_each_other_are_refused()
    {
        var limits = new CsvLimits { MaxUrlLength = 1_000, MaxCellLength = 500, MaxRecordLength = 400 };
        Assert.Equal(2, limits.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(limits)).Count());
    }
}
