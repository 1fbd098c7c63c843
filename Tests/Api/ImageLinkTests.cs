using System.Net;

namespace Darkroom.Tests.Api;

public sealed class ImageLinkTests : ApiTest
{
    [Fact]
    public async Task A_link_needs_no_key_and_redirects_to_the_image()
    {
        var (id, path) = await LinkAsync();
        await Api.Objects.PutAsync($"requests/{id}/images/1-1-0123456789abcdef.jpg", "an image"u8.ToArray(), "image/jpeg", CancellationToken.None);

        using var response = await Api.Anonymous.GetAsync(path);

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal("an image", await Api.Anonymous.GetStringAsync(response.Headers.Location));
    }

    [Fact]
    public async Task A_link_supports_HEAD()
    {
        var (id, path) = await LinkAsync();
        await Api.Objects.PutAsync($"requests/{id}/images/1-1-0123456789abcdef.jpg", "an image"u8.ToArray(), "image/jpeg", CancellationToken.None);

        using var response = await Api.Anonymous.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        using var image = await Api.Anonymous.SendAsync(new HttpRequestMessage(HttpMethod.Head, response.Headers.Location));

        Assert.Equal((HttpStatusCode.Found, "no-store"), (response.StatusCode, response.Headers.CacheControl?.ToString()));
        Assert.Equal(HttpStatusCode.OK, image.StatusCode);
        Assert.Equal(("image/jpeg", 8L), (image.Content.Headers.ContentType?.MediaType, image.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task A_wrong_mac_an_unknown_image_and_an_unfinished_one_return_the_same_404()
    {
        var (id, path) = await LinkAsync();
        var parts = path.Split('/');
        var forged = parts[3][..^1] + (parts[3][^1] == 'A' ? 'B' : 'A');
        string[] paths = [$"/i/{parts[2]}/{forged}", $"/i/{parts[2]}/", $"/i/999999/{parts[3]}", $"/i/x/{parts[3]}", $"/i/-1/{parts[3]}", $"/i/{parts[2]}0000000000000000000/{parts[3]}"];
        foreach (var wrong in paths.Where(p => !p.EndsWith('/')))
        {
            using var response = await Api.Anonymous.GetAsync(wrong);
            await response.AssertProblemAsync(HttpStatusCode.NotFound, "image_not_found");
        }

        await Api.ExecuteAsync("update images set state = 'waiting', output_key = null, finished_at = null where request_id = @id and row = 1 and position = 1", id);
        using var unfinished = await Api.Anonymous.GetAsync(path);
        await unfinished.AssertProblemAsync(HttpStatusCode.NotFound, "image_not_found");
    }

    private async Task<(Guid Id, string Path)> LinkAsync()
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);
        var images = await Alice.GetJsonAsync($"/v1/requests/{id}/images?state=succeeded");
        var url = images.GetProperty("items")[0].GetProperty("output").GetProperty("url").GetString()!;
        return (id, url[TestApi.BaseUrl.Length..]);
    }
}
