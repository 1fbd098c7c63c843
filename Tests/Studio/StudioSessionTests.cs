using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Studio;

/// <summary>What an API key is exchanged for, and when the session ends.</summary>
public sealed class StudioSessionTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private StudioSite _site = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _site = await StudioSite.StartAsync(_database);
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_key_is_exchanged_for_a_cookie_that_scripts_and_other_sites_cannot_use()
    {
        using var browser = _site.Browser();
        var key = await _site.KeyAsync(Scopes.WorkflowsEdit);

        using var plain = await StudioSite.SignInAsync(browser, key);
        using var secure = await StudioSite.SignInAsync(browser, key, "https://darkroom.example.com");

        var cookie = Assert.Single(plain.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("; secure", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; secure", Assert.Single(secure.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(key, cookie + await plain.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_reads_and_edits_as_its_key_may()
    {
        using var reader = await _site.SignedInAsync(Scopes.WorkflowsRead);
        using var editor = await _site.SignedInAsync(Scopes.WorkflowsEdit);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(reader, HttpMethod.Get, "/elsa/read"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(reader, HttpMethod.Post, "/elsa/edit"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(editor, HttpMethod.Get, "/elsa/read"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(editor, HttpMethod.Post, "/elsa/edit"));
        Assert.False((await editor.GetFromJsonAsync<JsonElement>("/studio/session")).GetProperty("owner").ValueEquals(""));
    }

    [Fact]
    public async Task A_key_keeps_working_alongside_sessions()
    {
        using var client = _site.Browser();
        client.DefaultRequestHeaders.Authorization = new("Bearer", await _site.KeyAsync(Scopes.WorkflowsEdit));

        using var edited = await client.PostAsync("/elsa/edit", null);

        Assert.Equal(HttpStatusCode.OK, edited.StatusCode);
    }

    [Fact]
    public async Task A_key_without_a_workflow_scope_gets_no_session()
    {
        using var browser = _site.Browser();

        using var response = await StudioSite.SignInAsync(browser, await _site.KeyAsync(Scopes.Requests));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("X-Nothing", "at all")]
    public async Task A_change_that_our_own_page_did_not_send_is_refused(string header, string value)
    {
        using var browser = await _site.SignedInAsync(Scopes.WorkflowsEdit);

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(browser, HttpMethod.Post, "/elsa/edit", header, value));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(browser, HttpMethod.Delete, "/studio/session", header, value));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));
    }

    [Fact]
    public async Task Without_Sec_Fetch_Site_the_Origin_header_decides()
    {
        using var browser = await _site.SignedInAsync(Scopes.WorkflowsEdit);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser, HttpMethod.Post, "/elsa/edit", "Origin", _site.Address.GetLeftPart(UriPartial.Authority)));
    }

    [Fact]
    public async Task A_foreign_page_cannot_open_a_socket_with_the_cookie()
    {
        using var browser = await _site.SignedInAsync(Scopes.WorkflowsEdit);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/elsa/read");
        request.Headers.Add("Connection", "Upgrade");
        request.Headers.Add("Upgrade", "websocket");
        request.Headers.Add("Origin", "http://evil.example");

        using var response = await browser.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_for_a_copied_cookie_too()
    {
        using var browser = await _site.SignedInAsync(Scopes.WorkflowsRead);
        var id = await CopyOfCookieAsync(browser);

        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(browser, HttpMethod.Delete, "/studio/session"));

        using var thief = _site.Browser();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(thief, HttpMethod.Get, "/elsa/read", "Cookie", id));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));
    }

    [Fact]
    public async Task A_revoked_key_ends_its_sessions()
    {
        using var browser = _site.Browser();
        var key = await _site.KeyAsync(Scopes.WorkflowsRead);
        using (await StudioSite.SignInAsync(browser, key))
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));

        await _site.Keys.RevokeAsync(ApiKeyText.Prefix(key)!, default);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));
    }

    [Fact]
    public async Task A_session_expires_when_unused_and_is_extended_by_use_but_not_forever()
    {
        using var browser = await _site.SignedInAsync(Scopes.WorkflowsRead);

        await ExecuteAsync("update studio_sessions set expires_at = now() + interval '1 hour'");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser, HttpMethod.Get, "/studio/session"));
        Assert.True(await HoursLeftAsync() < 1.1, "Checking the session extended it.");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));
        Assert.InRange(await HoursLeftAsync(), 7.9, 8.1);

        await ExecuteAsync("update studio_sessions set created_at = now() - interval '167 hours', expires_at = now() + interval '30 minutes'");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));
        Assert.InRange(await HoursLeftAsync(), 0.9, 1.1);

        await ExecuteAsync("update studio_sessions set expires_at = now()");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser, HttpMethod.Get, "/elsa/read"));
    }

    [Fact]
    public async Task The_cookie_gives_access_only_to_what_Studio_needs()
    {
        using var browser = await _site.SignedInAsync(Scopes.Admin);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser, HttpMethod.Get, "/v1/other"));
        // Nor does it create another session.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser, HttpMethod.Post, "/studio/session"));
    }

    [Fact]
    public async Task The_database_does_not_contain_the_cookie()
    {
        using var browser = await _site.SignedInAsync(Scopes.Requests, Scopes.WorkflowsRead);
        var id = (await CopyOfCookieAsync(browser)).Split('=', 2)[1];

        Assert.Equal(false, await _database.DataSource.Sql("select exists (select from studio_sessions s where s::text like '%' || @id || '%')")
            .With("id", id).ExecuteScalarAsync());
        Assert.Equal(new[] { Scopes.WorkflowsRead }, await _database.DataSource.Sql("select scopes from studio_sessions").ExecuteScalarAsync());
    }

    private static async Task<HttpStatusCode> StatusAsync(
        HttpClient browser, HttpMethod method, string path, string header = "Sec-Fetch-Site", string value = "same-origin")
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await browser.SendAsync(request);
        return response.StatusCode;
    }

    // A second sign-in from the same browser returns the cookie that it sends from then on.
    private async Task<string> CopyOfCookieAsync(HttpClient browser)
    {
        await ExecuteAsync("delete from studio_sessions");
        using var response = await StudioSite.SignInAsync(browser, await _site.KeyAsync(Scopes.Requests, Scopes.WorkflowsRead));
        return Assert.Single(response.Headers.GetValues("Set-Cookie")).Split(';')[0];
    }

    private async Task ExecuteAsync(string sql) => await _database.DataSource.Sql(sql).ExecuteNonQueryAsync();

    private async Task<double> HoursLeftAsync() =>
        (double)(await _database.DataSource.Sql("select (extract(epoch from expires_at - now()) / 3600)::float8 from studio_sessions").ExecuteScalarAsync())!;
}
