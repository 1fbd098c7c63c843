using Microsoft.Extensions.Options;

namespace Darkroom.Api.Pages;

/// <summary>The sample CSV that the page offers. The API fetches it for the page, whose Content-Security-Policy allows no requests to other origins.</summary>
internal static class SampleCsv
{
    public const string Client = "pages-sample";

    public static void Configure(HttpClient client)
    {
        client.Timeout = TimeSpan.FromSeconds(3);
        client.MaxResponseContentBufferSize = 1024 * 1024;
    }

    // 204 rather than 404: having no sample is not an error, and browsers log every 404 to the console.
    public static async Task<IResult> GetAsync(IOptions<PagesOptions> options, IHttpClientFactory clients, CancellationToken cancellationToken)
    {
        if (options.Value.SampleCsv is not { Length: > 0 } address)
            return Results.NoContent();
        try
        {
            using var client = clients.CreateClient(Client);
            return Results.File(await client.GetByteArrayAsync(new Uri(address), cancellationToken), "text/csv; charset=utf-8", "products.csv");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Results.NoContent();
        }
    }
}
