using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Images;
using Darkroom.Tests.Api;
using Darkroom.Tests.Elsa.Instances;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Webhooks;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Edits of the built-in workflow, inside the fan-out's body and around it. Each CSV has one image per row.</summary>
public sealed class EditedWorkflowTests(SharedSystem shared) : IClassFixture<SharedSystem>
{
    private static readonly HttpClient Anonymous = new();

    private DarkroomSystem Product => shared.Product;

    private string Jpeg => Product.Images.Good(1);

    private string Png => Product.Images.Rgba(2);

    [Theory]
    [InlineData("webp", ImageFormat.Webp)]
    [InlineData("png", ImageFormat.Png)]
    [InlineData("avif", ImageFormat.Avif)]
    public async Task A_converted_image_has_the_new_format_in_its_bytes_its_type_its_key_and_behind_its_link(string format, ImageFormat expected)
    {
        var request = await RunAsync(Download().Next("convert", "Darkroom.ConvertImage", ("format", "Literal", format)).Next("store", "Darkroom.StoreImage"), Jpeg);

        using var answer = await Anonymous.GetAsync(Assert.Single(Assert.Single(await request.OutputRowsAsync()).Outputs));
        Assert.Equal(expected, FormatSniffer.Sniff(await answer.Content.ReadAsByteArrayAsync()));
        Assert.Equal($"image/{format}", answer.Content.Headers.ContentType?.ToString());
        Assert.EndsWith($".{format}", answer.RequestMessage!.RequestUri!.AbsolutePath, StringComparison.Ordinal);
        var image = Assert.Single(await ImagesAsync(request));
        Assert.Equal($"image/{format}", image.GetProperty("output").Text("type"));
    }

    [Fact]
    public async Task The_last_of_two_conversions_wins()
    {
        var body = Download()
            .Next("first", "Darkroom.ConvertImage", ("format", "Literal", "png")).Next("second", "Darkroom.ConvertImage", ("format", "Literal", "webp"))
            .Next("store", "Darkroom.StoreImage");

        Assert.Equal(["webp"], await FormatsAsync(await RunAsync(body, Jpeg)));
    }

    [Fact]
    public async Task A_fault_fails_its_image_with_code_message_and_lines_and_the_others_go_on()
    {
        var body = Download().Next("unwanted", "Elsa.FlowDecision", ("condition", "JavaScript", "image.row === 2"))
            .Activity("line", "Elsa.WriteLine", ("text", "Liquid", "Row {{ Image.Row }} is a {{ Image.Format }}"))
            .Next("fault", "Elsa.Fault", ("code", "Literal", "unwanted"), ("message", "Liquid", "Nobody wants {{ Image.Width }} pixels."))
            .Activity("store", "Darkroom.StoreImage")
            .Connect("unwanted", "True", "line").Connect("unwanted", "False", "store");

        var request = await RunAsync(body, Jpeg, Png, Jpeg);

        Assert.Equal("completed_with_errors", (await request.StatusAsync()).Text("status"));
        Assert.Equal(["", "1: unwanted", ""], (await request.OutputRowsAsync()).Select(row => row.Errors));
        Assert.Equal(("unwanted", "Nobody wants 200 pixels."), await ErrorAsync(request, row: 2));
        var run = Assert.Single((await Product.Client.Http.SearchAsync(new { correlationId = request.Id })).Items).Text("id");
        var failed = Assert.Single(await Product.Client.Http.JournalAsync(run), entry => entry.Text("eventName") == "Faulted");
        Assert.Equal("fault", failed.Text("activityId"));
        var steps = failed.GetProperty("payload").GetProperty("Steps").EnumerateArray().ToList();
        Assert.Equal(["download Done", "unwanted True", "line Done", "fault unwanted"], steps.Select(step => $"{step.Text("activity")} {step.Text("outcome")}"));
        Assert.Equal("Row 2 is a png", steps[2].Text("text"));
    }

    [Fact]
    public async Task Finish_ends_an_image_early_and_it_succeeds_only_if_a_result_is_stored()
    {
        var body = Download()
            .Next("first", "Elsa.If", ("condition", "JavaScript", "image.row === 1")).WithBranch("first", "then", new WorkflowJson().Next("nothing", "Elsa.Finish"))
            .Next("store", "Darkroom.StoreImage")
            .Next("second", "Elsa.If", ("condition", "JavaScript", "image.row === 2")).WithBranch("second", "then", new WorkflowJson().Next("enough", "Elsa.Finish"))
            .Next("fault", "Elsa.Fault", ("code", "Literal", "went_on"));

        var request = await RunAsync(body, Jpeg, Jpeg, Jpeg);

        Assert.Equal(["1: not_stored", "", "1: went_on"], (await request.OutputRowsAsync()).Select(row => row.Errors));
    }

    [Theory]
    [InlineData("JavaScript", "image.width > 300", "webp", "png")]
    [InlineData("Liquid", "{% if Image.Format == 'png' %}true{% else %}false{% endif %}", "jpeg", "webp")]
    public async Task A_decision_knows_its_image(string language, string condition, string jpeg, string png)
    {
        var body = Download().Next("ask", "Elsa.FlowDecision", ("condition", language, condition))
            .Activity("convert", "Darkroom.ConvertImage").Next("store", "Darkroom.StoreImage")
            .Connect("ask", "True", "convert").Connect("ask", "False", "store");

        Assert.Equal([jpeg, png], await FormatsAsync(await RunAsync(body, Jpeg, Png)));
    }

    [Theory]
    [InlineData("JavaScript", "image.width > 300", "webp", "avif")]
    [InlineData("Liquid", "{% if Image.Format == 'png' %}true{% else %}false{% endif %}", "avif", "webp")]
    public async Task If_runs_its_branch_image_by_image(string language, string condition, string jpeg, string png)
    {
        var body = Download().Next("if", "Elsa.If", ("condition", language, condition)).Next("store", "Darkroom.StoreImage")
            .WithBranch("if", "then", new WorkflowJson().Next("one", "Darkroom.ConvertImage", ("format", "Literal", "webp")).Next("leave", "Elsa.Complete"))
            .WithBranch("if", "else", new WorkflowJson().Next("other", "Darkroom.ConvertImage", ("format", "Literal", "avif")));

        Assert.Equal([jpeg, png], await FormatsAsync(await RunAsync(body, Jpeg, Png)));
    }

    [Fact]
    public async Task An_expression_that_fails_fails_its_image_and_names_activity_and_input()
    {
        var body = Download().Next("compress", "Darkroom.CompressImage", ("quality", "JavaScript", "image.row === 2 ? image.nothing.here : 50"))
            .Next("store", "Darkroom.StoreImage");

        var request = await RunAsync(body, Jpeg, Jpeg, Jpeg);

        Assert.Equal(["", "1: expression_failed", ""], (await request.OutputRowsAsync()).Select(row => row.Errors));
        Assert.StartsWith("Fan out (FanOutImages1) / compress: Quality: ", (await ErrorAsync(request, row: 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_that_is_set_before_the_fan_out_reaches_every_image()
    {
        var body = Download().Next("resize", "Darkroom.ResizeImage", ("width", "Variable", """{"id":"Width","name":"Width"}"""))
            .Next("convert", "Darkroom.ConvertImage", ("format", "JavaScript", "variables.Width === 100 ? 'webp' : 'avif'"))
            .Next("store", "Darkroom.StoreImage");

        var request = await RunAsync(
            body,
            workflow =>
            {
                workflow.AddVariable("Width", "Int32", "10");
                workflow.InsertBefore("fan-out", "set", "Elsa.SetVariable", ("value", "JavaScript", "getInput('Images') * 50"))["variable"] =
                    new JsonObject { ["id"] = "Width", ["name"] = "Width" };
            },
            Jpeg, Png);

        Assert.Equal(["webp", "webp"], await FormatsAsync(request));
        Assert.All(await ImagesAsync(request), image => Assert.Equal(100, image.GetProperty("output").Number("width")));
    }

    [Fact]
    public async Task An_HTTP_request_after_the_aggregation_reports_the_counts_to_a_receiver()
    {
        await using var chat = await WebhookReceiver.StartAsync();
        const string message =
            """
            const done = getOutputFrom('FanOutImages1', 'Succeeded'), failed = getOutputFrom('FanOutImages1', 'Failed');
            return { text: `${getInput('FileName')}: ${done} of ${getOutputFrom('ValidateCsv1', 'Images')} images, ${failed} failed`, url: getOutputFrom('WriteOutputCsv1', 'Url') };
            """;

        var request = await RunAsync(
            Download().Next("store", "Darkroom.StoreImage"),
            workflow => workflow.InsertBefore(
                "notify", "chat", "Elsa.FlowSendHttpRequest",
                ("url", "Literal", chat.Url), ("method", "Literal", "POST"), ("content", "JavaScript", message)),
            Jpeg, Product.Images.Missing(2), Png);

        Assert.Equal("completed_with_errors", (await request.StatusAsync()).Text("status"));
        var sent = await chat.NextAsync();
        Assert.Equal(("POST", "application/json"), (sent.Method, sent.ContentType));
        var body = JsonSerializer.Deserialize<JsonElement>(sent.Body);
        Assert.Equal("products.csv: 2 of 3 images, 1 failed", body.Text("text"));
        Assert.EndsWith($"/v1/requests/{request.Id}/output.csv", body.Text("url"), StringComparison.Ordinal);
        Assert.Single(chat.All);
    }

    private static WorkflowJson Download() => new WorkflowJson().Next("download", "Darkroom.DownloadImage");

    private Task<SubmittedRequest> RunAsync(WorkflowJson body, params string[] urls) => RunAsync(body, _ => { }, urls);

    /// <summary>Runs a request whose fan-out has this body, and waits for its end.</summary>
    private async Task<SubmittedRequest> RunAsync(WorkflowJson body, Action<EditedWorkflow> edit, params string[] urls)
    {
        var id = $"body-{Guid.NewGuid():N}";
        await Workflows.PublishAsync(Product.Database.DataSource, id, 1, workflow =>
        {
            workflow.ReplaceBody(body);
            edit(workflow);
        });
        var request = await Product.Client.UploadAsync(ProductCsv.Of([.. urls.Select(url => new[] { url })]), workflow: id);
        await request.EndAsync();
        return request;
    }

    /// <summary>The format of each row's stored image.</summary>
    private static async Task<IReadOnlyList<string>> FormatsAsync(SubmittedRequest request)
    {
        var formats = new List<string>();
        foreach (var row in await request.OutputRowsAsync())
            formats.Add(FormatSniffer.Sniff(await Anonymous.GetByteArrayAsync(Assert.Single(row.Outputs))).ToString()!.ToLowerInvariant());
        return formats;
    }

    private async Task<(string Code, string Message)> ErrorAsync(SubmittedRequest request, int row)
    {
        var error = Assert.Single(await ImagesAsync(request), image => image.Number("row") == row).GetProperty("error");
        return (error.Text("code"), error.Text("message"));
    }

    private async Task<IReadOnlyList<JsonElement>> ImagesAsync(SubmittedRequest request) =>
        [.. (await Product.Client.Http.GetJsonAsync($"/v1/requests/{request.Id}/images")).GetProperty("items").EnumerateArray()];
}
