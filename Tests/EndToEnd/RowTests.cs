using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Guarantee 3: rows come back unchanged and in order, however their images end and in whatever order they finish.</summary>
public sealed class RowTests : IAsyncLifetime
{
    private DarkroomSystem _system = null!;

    public async Task InitializeAsync() => _system = await DarkroomSystem.StartAsync(workers: 2);

    public async Task DisposeAsync() => await _system.DisposeAsync();

    [Fact]
    public async Task Two_hundred_rows_with_failures_anywhere_keep_their_order_and_every_slot()
    {
        var random = new Random(20);
        var products = Enumerable.Range(0, 200)
            .Select(_ => (IReadOnlyList<string>)[.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => SomeUrl(random))])
            .ToArray();

        var request = await _system.Client.UploadAsync(ProductCsv.Of(products));
        var end = await request.EndAsync();

        var failing = products.Sum(urls => urls.Count(Fails));
        Assert.Equal("completed_with_errors", end.GetProperty("status").GetString());
        Assert.Equal(failing, end.GetProperty("images").GetProperty("failed").GetInt32());
        Assert.Equal(products.Sum(urls => urls.Count) - failing, end.GetProperty("images").GetProperty("succeeded").GetInt32());
        var rows = await request.OutputRowsAsync();
        Assert.Equal(products.Length, rows.Count);
        for (var i = 0; i < products.Length; i++)
        {
            Assert.Equal($"{i + 1}.", rows[i].Serial);
            Assert.Equal(products[i], rows[i].Inputs);
            Assert.Equal(products[i].Select(Fails), rows[i].Outputs.Select(url => url.Length == 0));
            Assert.Equal(
                products[i].Select((url, place) => (Fails(url), place + 1)).Where(slot => slot.Item1).Select(slot => $"{slot.Item2}"),
                rows[i].Errors.Split("; ", StringSplitOptions.RemoveEmptyEntries).Select(error => error.Split(':')[0]));
        }
    }

    [Fact]
    public async Task Duplicate_rows_and_images_are_not_merged()
    {
        var (one, two) = (_system.Images.Good(1), _system.Images.Good(2));

        var request = await _system.Client.UploadAsync(ProductCsv.Of([one, one, two], [one, one, two], [two], [two]));
        await request.EndAsync();

        var rows = await request.OutputRowsAsync();
        Assert.Equal([3, 3, 1, 1], rows.Select(row => row.Outputs.Length));
        var outputs = rows.SelectMany(row => row.Outputs).ToList();
        Assert.Equal(8, outputs.Distinct().Count());
        using var anonymous = new HttpClient();
        var bytes = await Task.WhenAll(outputs.Select(async url => Convert.ToBase64String(await anonymous.GetByteArrayAsync(url))));
        var inputs = rows.SelectMany(row => row.Inputs).ToList();
        Assert.Equal(2, bytes.Distinct().Count());
        Assert.All(inputs.Zip(bytes), pair => Assert.Equal(pair.First == one ? bytes[0] : bytes[2], pair.Second));
    }

    [Fact]
    public async Task Serials_are_text_and_do_not_affect_the_order()
    {
        string[] serials = ["10.", "2.", "1.", "007", "7", "", "2.", "ten"];
        var lines = serials.Select((serial, i) => $"{serial},Product,{_system.Images.Good(i)}");

        var request = await _system.Client.UploadAsync($"{ProductCsv.Header}\n{string.Join('\n', lines)}\n");
        var end = await request.EndAsync();

        Assert.Equal("completed", end.GetProperty("status").GetString());
        var rows = await request.OutputRowsAsync();
        Assert.Equal(serials, rows.Select(row => row.Serial));
        Assert.Equal(Enumerable.Range(0, serials.Length).Select(_system.Images.Good), rows.Select(row => Assert.Single(row.Inputs)));
    }

    private string SomeUrl(Random random)
    {
        var images = _system.Images;
        return random.Next(8) switch
        {
            0 => images.Missing(random.Next(50)),
            1 => images.Broken(random.Next(50)),
            2 => images.Rgba(random.Next(20)),
            3 => images.Flaky(random.Next(1000)),
            _ => images.Good(random.Next(100)),
        };
    }

    private static bool Fails(string url) =>
        url.Contains("/missing/", StringComparison.Ordinal) || url.Contains("/broken/", StringComparison.Ordinal);
}
