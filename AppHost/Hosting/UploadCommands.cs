using System.Net.Http.Headers;

namespace Darkroom.AppHost.Hosting;

/// <summary>Dashboard commands that upload the sample or a local CSV.</summary>
internal static class UploadCommands
{
    public static IResourceBuilder<ProjectResource> WithUploadCommands(this IResourceBuilder<ProjectResource> api, HostSettings settings, string key)
    {
        var http = LocalHttp.CreateClient();
        http.BaseAddress = new Uri(settings.ApiUrl);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return api
            .WithCommand(
                "upload-sample",
                "Upload the sample",
                async context =>
                {
                    await using var csv = await http.GetStreamAsync(new Uri(settings.SamplesUrl + "/products.csv"), context.CancellationToken);
                    return await UploadAsync(http, csv, "products.csv", context.CancellationToken);
                },
                new CommandOptions
                {
                    Description = "10 products with 14 photos, served from this machine.",
                    IconName = "ArrowUpload",
                    IsHighlighted = true,
                    UpdateState = RunningOnly.State,
                })
            .WithCommand(
                "upload-csv",
                "Upload a CSV…",
                async context =>
                {
                    using var files = context.Arguments["file"].GetFiles();
                    await using var csv = files[0].OpenRead();
                    return await UploadAsync(http, csv, files[0].Name, context.CancellationToken);
                },
                new CommandOptions
                {
                    Description = "With the columns S. No., Product Name, Input Image Urls.",
                    IconName = "DocumentArrowUp",
                    UpdateState = RunningOnly.State,
                    Arguments = [new InteractionInput { Name = "file", Label = "CSV", InputType = InputType.File, FileFilter = ".csv,text/csv", Required = true }],
                });
    }

    private static async Task<ExecuteCommandResult> UploadAsync(HttpClient http, Stream csv, string name, CancellationToken cancellationToken)
    {
        using var form = new MultipartFormDataContent { { new StreamContent(csv), "file", name } };
        using var response = await http.PostAsync(new Uri("/v1/requests", UriKind.Relative), form, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? CommandResults.Success("Accepted. The page shows its progress.", text, CommandResultFormat.Json)
            : CommandResults.Failure($"Rejected with status {(int)response.StatusCode}.", text, CommandResultFormat.Json);
    }
}
