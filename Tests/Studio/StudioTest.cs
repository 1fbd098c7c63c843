using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Pages;
using Microsoft.Playwright;

namespace Darkroom.Tests.Studio;

/// <summary>The real Elsa Studio in a browser, with the whole product behind it.</summary>
public abstract class StudioTest(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    protected const string Editor = "workflows/definitions/image-compression/edit";

    internal PageProduct Product { get; private set; } = null!;
    internal IPage Page { get; private set; } = null!;
    internal PageWatch Watch { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (!StudioFactAttribute.CanRun)
            return;
        Product = await PageProduct.StartAsync();
        Page = await chromium.NewPageAsync(new() { ViewportSize = new() { Width = 1500, Height = 950 } });
        Watch = new PageWatch(Page, Product.Origin);
    }

    public async Task DisposeAsync()
    {
        if (Product is not null)
            await Product.DisposeAsync();
    }

    internal HttpClient Client(string key) =>
        new() { BaseAddress = new Uri(Product.Origin), DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
}
