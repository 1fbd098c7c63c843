using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Hosting;

namespace Darkroom.AppHost.Local.Run;

/// <summary>Says what runs where: to people on the console, to scripts and tests in run.json.</summary>
internal sealed class RunReport(DataFolder data, HostSettings settings, ConsoleLines console)
{
    public async Task PublishAsync(IReadOnlyList<IResource> resources, IReadOnlyList<RunningProcess> processes, TimeSpan elapsed)
    {
        var connectionStrings = new Dictionary<string, string?>();
        foreach (var resource in resources.OfType<IResourceWithConnectionString>().Where(resource => resource is not PostgresServerResource))
            connectionStrings[resource.Name] = await resource.GetConnectionStringAsync();
        var s3 = EndpointOf(connectionStrings.GetValueOrDefault("s3"));

        data.WriteRunFile(new
        {
            Api = settings.ApiUrl,
            Studio = settings.ApiUrl + "/studio",
            S3 = s3,
            Samples = settings.SamplesUrl,
            Key = data.Secrets.DevelopmentKey,
            ConnectionStrings = connectionStrings,
            Processes = processes.Prepend(new RunningProcess("apphost", Environment.ProcessId)),
        });
        console.WriteBlock(Block(s3, elapsed));
    }

    private IEnumerable<string> Block(string? s3, TimeSpan elapsed) =>
    [
        "",
        "  " + console.Bold("Darkroom is ready") + string.Create(CultureInfo.InvariantCulture, $" after {elapsed.TotalSeconds:0.0} s"),
        "",
        $"    Page       {settings.ApiUrl}",
        $"    Studio     {settings.ApiUrl}/studio",
        $"    Reference  {settings.ApiUrl}/scalar",
        $"    S3         {s3 ?? "of AWS, as its connection string says"}",
        $"    Samples    {settings.SamplesUrl}/products.csv",
        $"    Key        {data.Secrets.DevelopmentKey}",
        $"    Data       {data.Path}",
        "",
        "  Try it:",
        "",
        $"    curl -s {settings.SamplesUrl}/products.csv |",
        $"      curl -H \"Authorization: Bearer {data.Secrets.DevelopmentKey}\" -F \"file=@-;filename=products.csv\" {settings.ApiUrl}/v1/requests",
        "",
        "  Ctrl+C stops everything in order.",
        "",
    ];

    private static string? EndpointOf(string? connectionString) =>
        connectionString?.Split(';', StringSplitOptions.TrimEntries)
            .FirstOrDefault(part => part.StartsWith("Endpoint=", StringComparison.OrdinalIgnoreCase))?["Endpoint=".Length..];
}
