using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Tests.Elsa.Instances;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.Api;

/// <summary>
/// What one owner can learn of another's things, and change of them, through every endpoint of the running API: nothing. An endpoint that
/// <see cref="EndpointCatalog"/> does not list fails the first test, so a new one cannot be forgotten.
/// </summary>
public sealed partial class OwnerIsolationTests : ApiTest
{
    // Every scope but admin, which is the operator's.
    private static readonly string[] OwnersScopes = [Scopes.Requests, Scopes.WorkflowsEdit];

    // All tables that hold what belongs to an owner.
    private const string Requests = "select id from csv_data_table where owner_id = @owner";
    private const string Instances = $"select id from workflow_instances where request_id in ({Requests})";

    private static readonly (string Table, string Filter)[] Tables =
    [
        ("csv_data_table", "owner_id = @owner"),
        ("uploads", "owner_id = @owner"),
        ("idempotency_keys", "owner_id = @owner"),
        ("products", $"request_id in ({Requests})"),
        ("images", $"request_id in ({Requests})"),
        ("workflow_instances", $"request_id in ({Requests})"),
        ("activity_executions", $"instance_id in ({Instances})"),
        ("fan_out_counts", $"instance_id in ({Instances})"),
        ("bookmarks", $"instance_id in ({Instances})"),
        ("webhook_secrets", "owner_id = @owner"),
        ("webhook_deliveries", "owner_id = @owner"),
        ("webhook_attempts", "delivery_id in (select id from webhook_deliveries where owner_id = @owner)"),
        ("webhook_disabled_endpoints", "owner_id = @owner"),
    ];

    public static TheoryData<string> OwnedEndpoints => [.. EndpointCatalog.All.Where(known => known.Kind == EndpointKind.Owned).Select(known => known.Name)];

    public static TheoryData<string> OwnEndpoints => [.. EndpointCatalog.All.Where(known => known.Kind == EndpointKind.Own).Select(known => known.Name)];

    [Fact]
    public void Every_endpoint_is_listed_with_what_it_shows_and_the_scope_it_needs()
    {
        var mapped = Mapped().ToHashSet();
        var listed = EndpointCatalog.All.Select(known => known.Name).ToHashSet();

        Assert.True(mapped.Count > 90, $"Only {mapped.Count} endpoints were found.");
        Assert.DoesNotContain(mapped, name => !listed.Contains(name) && !EndpointCatalog.IsPublic(name));
        Assert.DoesNotContain(listed, name => !mapped.Contains(name) || EndpointCatalog.IsPublic(name));
    }

    [Theory]
    [MemberData(nameof(OwnedEndpoints))]
    public async Task What_belongs_to_another_owner_looks_like_nothing_and_stays_as_it_is(string name)
    {
        var endpoint = EndpointCatalog.Find(name);
        var alices = await CreateAsync();
        using var alice = await Api.ClientAsync("alice", OwnersScopes);
        using var bob = await Api.ClientAsync("bob", OwnersScopes);
        var before = await SnapshotAsync(alices);

        var asked = await AskAsync(bob, endpoint, alices);
        var unknown = await AskAsync(bob, endpoint, OwnedThings.Unknown());
        var malformed = await AskAsync(bob, endpoint, OwnedThings.Malformed);
        var after = await SnapshotAsync(alices);

        Assert.Equal(endpoint.Expected, asked.Status);
        Assert.Equal(unknown, asked);
        if (endpoint.Expected == HttpStatusCode.NotFound)
            Assert.Equal(unknown, malformed);
        Assert.Equal(before, after);
        // The call is one that finds something: alice's own is answered differently.
        Assert.NotEqual(asked, await AskAsync(alice, endpoint, alices));
    }

    [Theory]
    [MemberData(nameof(OwnEndpoints))]
    public async Task What_an_endpoint_lists_or_does_concerns_the_caller_alone(string name)
    {
        var endpoint = EndpointCatalog.Find(name);
        var alices = await CreateAsync();
        using var bob = await Api.ClientAsync("bob", OwnersScopes);
        var before = await SnapshotAsync(alices);

        var response = await AskAsync(bob, endpoint, alices);

        Assert.InRange((int)response.Status, 200, 299);
        Assert.DoesNotContain(OwnedThings.Marks, mark => response.Body.Contains(mark, StringComparison.OrdinalIgnoreCase));
        Assert.Equal(before, await SnapshotAsync(alices));
    }

    [Fact]
    public async Task A_call_without_the_scope_that_its_endpoint_needs_is_refused()
    {
        using var requests = await Api.ClientAsync("bob", Scopes.Requests);
        using var reader = await Api.ClientAsync("bob", Scopes.Requests, Scopes.WorkflowsRead);
        using var editor = await Api.ClientAsync("bob", Scopes.WorkflowsEdit);
        var wrong = new List<string>();

        foreach (var endpoint in EndpointCatalog.All.Where(known => known.Scope is not null))
        {
            var client = endpoint.Scope switch { Scopes.Requests => editor, Scopes.WorkflowsRead => requests, _ => reader };
            var response = await AskAsync(client, endpoint, OwnedThings.Unknown());
            if (response.Status != HttpStatusCode.Forbidden)
                wrong.Add($"{endpoint.Name} without {endpoint.Scope}: {response.Status}");
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_call_without_a_key_learns_nothing_but_that_one_is_needed()
    {
        var alices = await CreateAsync();
        var wrong = new List<string>();

        foreach (var endpoint in EndpointCatalog.All)
        {
            var asked = await AskAsync(Api.Anonymous, endpoint, alices);
            if (asked.Status != HttpStatusCode.Unauthorized || asked != await AskAsync(Api.Anonymous, endpoint, OwnedThings.Unknown()))
                wrong.Add($"{endpoint.Name}: {asked.Status}");
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task What_everyone_may_read_holds_nothing_of_anyone()
    {
        var alices = await CreateAsync();
        var calls = Mapped().Where(EndpointCatalog.IsPublic).Where(name => name.StartsWith("GET ", StringComparison.Ordinal) || name.StartsWith("* ", StringComparison.Ordinal))
            .Select(name => Parameter().Replace(name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..], alices.Request)).ToList();

        Assert.InRange(calls.Count, 15, 100);
        foreach (var path in calls)
        {
            using var response = await Api.Anonymous.GetAsync(path);
            var body = await response.Content.ReadAsStringAsync();
            Assert.DoesNotContain(OwnedThings.Marks, mark => body.Contains(mark, StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task Another_owners_cursor_reveals_nothing()
    {
        for (var i = 0; i < 2; i++)
            await Alice.AcceptedAsync();
        var cursor = (await Alice.GetJsonAsync("/v1/requests?limit=1")).GetProperty("next_cursor").GetString();

        Assert.Empty((await Bob.GetJsonAsync($"/v1/requests?cursor={cursor}")).GetProperty("items").EnumerateArray());
    }

    private IEnumerable<string> Mapped() =>
        from endpoint in Api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]
        select $"{method} /{endpoint.RoutePattern.RawText!.Trim('/')}";

    /// <summary>A request of alice's in which everything exists that an endpoint could show.</summary>
    private async Task<OwnedThings> CreateAsync()
    {
        const string url = "https://alices-receiver.test/hook";
        var (request, instance) = await Api.FinishedAsync(Alice);
        await Api.Database.Sql(
                """
                update csv_data_table
                set file_name = 'alices-products.csv', webhook_url = @url, output_path = csv_path
                where id = @id;

                update images set url = 'https://alices-photos.test/' || row || '-' || position where request_id = @id;

                insert into webhook_deliveries (id, owner_id, request_id, run, url, receiver, body, state, attempts, next_attempt_at, finished_at)
                select 'msg_alices', owner_id, id, 1, @url, 'alices-receiver.test:443', '{}', 'delivered', 1, null, now()
                from csv_data_table
                where id = @id;

                insert into webhook_attempts (delivery_id, attempt, started_at, duration_ms, status, response)
                values ('msg_alices', 1, now(), 5, 200, 'alices-response');

                insert into webhook_disabled_endpoints (owner_id, url)
                select owner_id, @disabled
                from csv_data_table
                where id = @id
                """)
            .With("id", request)
            .With("url", url)
            .With("disabled", OwnedThings.AlicesDisabledEndpoint)
            .ExecuteNonQueryAsync();
        // And one that still runs.
        await Alice.AcceptedAsync();
        var execution = (Guid)(await Api.Database.Sql("select id from activity_executions").ExecuteScalarAsync())!;
        return new OwnedThings($"{request}", $"{instance}", $"{execution}", "msg_alices", OwnedThings.AlicesDisabledEndpoint);
    }

    /// <summary>All rows that belong to alice, and the keys of her objects.</summary>
    private async Task<string> SnapshotAsync(OwnedThings things)
    {
        var owner = (Guid)(await Api.Database.Sql("select id from owners where name = 'alice'").ExecuteScalarAsync())!;
        var text = new StringBuilder();
        foreach (var (table, filter) in Tables)
            text.AppendLine((string?)await Api.Database.Sql($"select '{table} ' || coalesce(string_agg(t::text, ';' order by t::text), '') from {table} t where {filter}")
                .With("owner", owner)
                .ExecuteScalarAsync());
        return text.AppendJoin(';', await Api.KeysAsync($"requests/{things.Request}/")).ToString();
    }

    private static async Task<Answer> AskAsync(HttpClient client, KnownEndpoint endpoint, OwnedThings things)
    {
        var (path, content) = endpoint.Call(things);
        using var request = new HttpRequestMessage(new HttpMethod(endpoint.Method), path) { Content = content };
        using var response = await client.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        foreach (var mark in things.Ids)
            body = body.Replace(mark, OwnedThings.IdMark, StringComparison.OrdinalIgnoreCase);
        return new Answer(response.StatusCode, TraceId().Replace(body, ""));
    }

    private sealed record Answer(HttpStatusCode Status, string Body);

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
