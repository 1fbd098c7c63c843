using System.Net;
using Darkroom.Access;
using Darkroom.Data;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.Api;

/// <summary>Responses that only their caller may see must not be stored by a cache in between.</summary>
public sealed class PrivateResponseTests : ApiTest
{
    [Fact]
    public async Task No_response_of_an_endpoint_that_needs_a_key_is_stored_by_a_shared_cache()
    {
        var id = await Alice.AcceptedAsync();
        using var reader = await Api.ClientAsync("carol", Scopes.WorkflowsRead);
        using var admin = await Api.ClientAsync("alice", Scopes.Admin);

        var wrong = new List<string>();
        var calls = PrivateCalls(id).ToList();
        foreach (var (method, path) in calls)
            foreach (var client in new[] { Api.Anonymous, reader, admin })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                if (!IsPrivate(response) || (client == Api.Anonymous && response.StatusCode != HttpStatusCode.Unauthorized))
                    wrong.Add($"{method} {path}: {(int)response.StatusCode}, Cache-Control: {response.Headers.CacheControl}, Vary: {response.Headers.Vary}");
            }

        Assert.InRange(calls.Count, 50, 500);
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/input.csv")]
    public async Task A_response_with_an_ETag_is_revalidated_by_its_own_client(string file)
    {
        var path = $"/v1/requests/{await Alice.AcceptedAsync()}{file}";
        using var first = await Alice.GetAsync(path);
        using var again = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var second = await Alice.SendAsync(again);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotModified), (first.StatusCode, second.StatusCode));
        foreach (var response in new[] { first, second })
        {
            Assert.Equal("no-cache, private", response.Headers.CacheControl?.ToString());
            Assert.Equal(["Authorization"], response.Headers.Vary);
        }
    }

    [Fact]
    public async Task The_response_to_a_failure_of_the_server_is_not_stored()
    {
        await Database.DataSource.Sql("alter table csv_data_table rename to gone").ExecuteNonQueryAsync();

        using var response = await Alice.GetAsync("/v1/requests");

        await response.AssertProblemAsync(HttpStatusCode.InternalServerError, "internal_error");
        Assert.True(IsPrivate(response));
    }

    /// <summary>A call of every endpoint that is not public, with every method it takes.</summary>
    private IEnumerable<(string Method, string Path)> PrivateCalls(Guid request) =>
        from endpoint in Api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let pattern = "/" + endpoint.RoutePattern.RawText!.Trim('/')
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        where !EndpointCatalog.IsPublic($"{method} {pattern}")
        select (method, PathOf(endpoint.RoutePattern, request));

    private static string PathOf(RoutePattern pattern, Guid request) =>
        "/" + string.Join('/', pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            RoutePatternLiteralPart literal => literal.Content,
            // The only constraint that our patterns use is int.
            RoutePatternParameterPart { ParameterPolicies.Count: > 0 } => "1",
            _ => request.ToString(),
        }))));

    private static bool IsPrivate(HttpResponseMessage response) =>
        response.Headers.CacheControl is { } cache
        && (cache.NoStore || (response.Headers.ETag is not null && cache is { Private: true, NoCache: true }))
        && response.Headers.Vary.Contains("Authorization");
}
