using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Definitions;

/// <summary>No window silently overwrites what another one saved.</summary>
public sealed class TwoEditorsTests : ApiTest
{
    private const string Default = "image-compression";

    private HttpClient Client { get; set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Client = await Api.ClientAsync("editor", Scopes.WorkflowsEdit);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_later_save_of_two_windows_is_refused_until_it_reloads(bool published)
    {
        var (one, two) = (new Studio(Client, "one"), new Studio(Client, "two"));
        await one.OpenAsync(Default);
        await two.OpenAsync(Default);
        one.Set("compress", "quality", "70");
        await one.SaveAsync(published);
        two.Set("compress", "quality", "20");

        Assert.Contains("was changed in another window", Assert.Single(await two.RefusedAsync()), StringComparison.Ordinal);
        Assert.Contains("was changed in another window", Assert.Single(await two.RefusedAsync(publish: true)), StringComparison.Ordinal);
        var reloaded = await two.OpenAsync(Default);
        Assert.Equal("70", (string)two.Activity("compress")["quality"]!["expression"]!["value"]!);
        Assert.Equal(2, (int)reloaded["version"]!);
        two.Set("compress", "quality", "20");
        await two.SaveAsync();
    }

    [Fact]
    public async Task Two_people_are_distinguished_without_the_help_of_the_page()
    {
        var (one, two) = (new Studio(Client), new Studio(await Api.ClientAsync("another", Scopes.WorkflowsEdit)));
        await one.OpenAsync(Default);
        await two.OpenAsync(Default);
        one.Set("compress", "quality", "70");
        await one.SaveAsync();
        two.Set("compress", "quality", "20");

        Assert.Contains("was changed in another window", Assert.Single(await two.RefusedAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_window_can_continue_after_a_failed_publish_or_an_unread_response()
    {
        var one = new Studio(Client, "one");
        await one.OpenAsync(Default);
        one.Set("compress", "quality", "700");
        await one.RefusedAsync(publish: true);
        one.Set("compress", "quality", "701");
        await one.RefusedAsync(publish: true);
        one.Set("compress", "quality", "70");
        using (var unread = await one.TrySaveAsync())
            Assert.True(unread.IsSuccessStatusCode);
        one.Set("compress", "quality", "71");
        await one.SaveAsync(publish: true);

        Assert.Equal(2, one.Version);
    }

    [Fact]
    public async Task An_autosave_does_not_bring_a_deleted_workflow_back()
    {
        var (one, two) = (new Studio(Client, "one"), new Studio(Client, "two"));
        var id = await one.CreateAsync();
        await two.OpenAsync(id);
        using (await Client.DeleteAsync($"{Studio.Base}/workflow-definitions/{id}"))
            Assert.Contains("has been deleted", Assert.Single(await two.RefusedAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_revision_is_for_Studio_only_and_is_not_exported()
    {
        var one = new Studio(Client, "one");
        await one.OpenAsync(Default);
        one.Definition["customProperties"]!["VariableTestValues"] = new JsonObject();
        await one.SaveAsync();

        Assert.NotNull(one.Definition["customProperties"]!["darkroomRevision"]);
        var file = await one.GetAsync($"/workflow-definitions/{Default}/export");
        Assert.Equal(["VariableTestValues"], file["customProperties"]!.AsObject().Select(member => member.Key));
    }
}
