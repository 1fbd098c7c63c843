using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Pages;

/// <summary>The page as a new user sees it, in a browser, with the whole product running.</summary>
public sealed class PageTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private PageProduct _product = null!;
    private IPage _page = null!;
    private PageWatch _watch = null!;

    // Without a browser the tests are skipped, so nothing else is started either.
    public async Task InitializeAsync()
    {
        if (Chromium.ExecutablePath is null)
            return;
        _product = await PageProduct.StartAsync();
        _page = await chromium.NewPageAsync();
        _watch = new PageWatch(_page, _product.Origin, _product.S3.Url.GetLeftPart(UriPartial.Authority));
        await _page.GotoAsync(_product.Origin);
    }

    public async Task DisposeAsync()
    {
        if (_product is not null)
            await _product.DisposeAsync();
    }

    [ChromiumFact]
    public async Task A_wrong_key_is_rejected_and_a_valid_one_opens_the_page()
    {
        await _page.SignInAsync("dk_0000000000_nonsense");
        await Expect(_page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not accepted");

        await _page.SignInAsync(_product.Key);

        await Expect(_page.GetByText("Nothing yet.")).ToBeVisibleAsync();
        _watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_csv_with_errors_is_rejected_with_their_positions()
    {
        await _page.SignInAsync(_product.Key);
        await _page.UploadAsync("products.csv", ProductCsv.Header + "\n1,Chair,ftp://example.com/a.jpg\n2,Table,\n");

        await Expect(_page.GetByRole(AriaRole.Heading, new() { Name = "2 problems in this file" })).ToBeVisibleAsync();
        var rows = _page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.First).ToContainTextAsync("ftp://example.com/a.jpg");
        await Expect(rows.First.Locator("td.line")).ToHaveTextAsync("2");
        await Expect(rows.Last.Locator("td.line")).ToHaveTextAsync("3");
        await _page.GetByRole(AriaRole.Button, new() { Name = "Choose another file" }).ClickAsync();
        await Expect(_page.Locator("#file")).ToBeFocusedAsync();
        _watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_valid_csv_is_processed_to_the_end_and_its_files_are_downloaded()
    {
        var csv = ProductCsv.Of([_product.Images.Good(1), _product.Images.Good(2)], [_product.Images.Rgba(3)]);
        await _page.SignInAsync(_product.Key);
        await _page.UploadAsync("products.csv", csv);

        await Expect(_page.Locator(".pill", new() { HasText = "Done" })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(_page.Locator(".big")).ToHaveTextAsync("100%");
        await Expect(_page.Locator(".image.good")).ToHaveCountAsync(3);
        await AssertDrawnAsync(_page.Locator(".thumb img"));

        Assert.Equal(csv, await DownloadAsync("Uploaded CSV"));
        var output = ProductCsv.ReadOutput(await DownloadAsync("Download the result"));
        Assert.Equal([2, 1], output.Select(row => row.Outputs.Count(url => url.StartsWith(_product.Origin, StringComparison.Ordinal))));

        await _page.GetByRole(AriaRole.Link, new() { Name = "All requests" }).ClickAsync();
        await Expect(_page.Locator(".recent-list")).ToContainTextAsync("products.csv");
        _watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task Images_appear_while_others_are_still_downloading_and_the_rest_can_be_cancelled()
    {
        _product.Images.CloseGate();
        await _page.SignInAsync(_product.Key);
        await _page.UploadAsync("products.csv", ProductCsv.Of([_product.Images.Good(1)], [_product.Images.Gated(2)]));

        await Expect(_page.Locator(".image.good")).ToHaveCountAsync(1, new() { Timeout = 60_000 });
        await Expect(_page.Locator(".pill", new() { HasText = "In progress" })).ToBeVisibleAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "Cancel this request" }).ClickAsync();
        await _page.GetByRole(AriaRole.Button, new() { Name = "Cancel the request" }).ClickAsync();

        await Expect(_page.Locator(".pill", new() { HasText = "Cancelled" })).ToBeVisibleAsync();
        await Expect(_page.Locator(".image-state", new() { HasText = "Cancelled" })).ToHaveCountAsync(1);
        _watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_failed_image_is_shown_with_its_reason()
    {
        await _page.SignInAsync(_product.Key);
        await _page.UploadAsync("products.csv", ProductCsv.Of([_product.Images.Good(1), _product.Images.Missing(2)]));

        await Expect(_page.GetByText("1 image failed")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await _page.GetByRole(AriaRole.Button, new() { Name = "Show them" }).ClickAsync();

        await Expect(_page.Locator(".image")).ToHaveCountAsync(1);
        await Expect(_page.Locator(".image.bad .image-state")).ToContainTextAsync("404");
        _watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task Markup_in_names_and_cells_is_shown_as_text()
    {
        const string markup = "<img src=x onerror=window.pwned=1>";
        await _page.SignInAsync(_product.Key);
        await _page.UploadAsync($"{markup}.csv", $"{ProductCsv.Header}\n1,{markup}<script>window.pwned=1</script>,{_product.Images.Missing(1)}?q=<svg/onload=window.pwned=1>\n");

        // Whether such a URL is rejected or fetched, its text is only ever displayed.
        await Expect(_page.Locator(".image-name, td", new() { HasText = "<s" }).First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        Assert.Equal(0, await _page.Locator("main img[src='x'], main script").CountAsync());
        Assert.False(await _page.EvaluateAsync<bool>("'pwned' in window"));
        _watch.AssertQuiet();
    }

    private static async Task AssertDrawnAsync(ILocator images)
    {
        for (var i = 0; i < await images.CountAsync(); i++)
        {
            await images.Nth(i).ScrollIntoViewIfNeededAsync();
            await images.Nth(i).EvaluateAsync("image => image.decode()");
        }
    }

    private async Task<string> DownloadAsync(string button)
    {
        var download = await _page.RunAndWaitForDownloadAsync(() => _page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync());
        await using var stream = await download.CreateReadStreamAsync();
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
