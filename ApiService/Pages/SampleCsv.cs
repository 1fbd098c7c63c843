using Microsoft.Extensions.Options;

namespace Darkroom.Api.Pages;

/// <summary>The sample that the page offers. The page asks us and not the sample's server: its policy lets it ask nobody else.</summary>
internal static class SampleCsv
{
    public const string Client = "pages-sample";

    public static void Configure(HttpClient client)
    {
        client.Timeout = TimeSpan.FromSeconds(3);
        client.MaxResponseContentBufferSize = 1024 * 1024;
    }

    // 204 and not 404 where there is none: its absence is no error, and browsers print each 404 on the console.
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
