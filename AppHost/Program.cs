using Darkroom.AppHost.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

try
{
    var builder = DistributedApplication.CreateBuilder(args);
    using var data = DataFolder.Open(builder.Configuration);
    var settings = HostSettings.Read(builder.Configuration);
    builder.Services.AddSingleton(data).AddSingleton(settings);

    // The three parts that keep state: given ones (ConnectionStrings__...) go before ours.
    IResourceBuilder<IResourceWithConnectionString> database = IsGiven("darkroom")
        ? builder.AddConnectionString("darkroom")
        : builder.AddPostgres("postgres").WithDataVolume().AddDatabase("darkroom");
    IResourceBuilder<IResourceWithConnectionString> redis = IsGiven("redis")
        ? builder.AddConnectionString("redis")
        : builder.AddRedis("redis");
    IResourceBuilder<IResourceWithConnectionString> s3 = IsGiven("s3")
        ? builder.AddConnectionString("s3")
        : builder.AddEmbeddedStorage("s3", data, settings);

    builder.AddSamplePhotos(settings);
    var developmentKey = builder.AddParameter("development-key", data.Secrets.DevelopmentKey, secret: true);

    var api = builder.AddProject<Projects.ApiService>("api", launchProfileName: null)
        .WithHttpEndpoint(port: settings.ApiPort)
        .WithExternalHttpEndpoints()
        .WithHttpHealthCheck("/health")
        .WithReference(database).WaitFor(database)
        .WithReference(redis).WaitFor(redis)
        .WithReference(s3).WaitFor(s3)
        .WithEnvironment("Access__DevelopmentKey", developmentKey);

    var worker = builder.AddProject<Projects.WorkerService>("worker", launchProfileName: null)
        .WithReplicas(settings.Workers)
        .WithCodecEnvironment()
        .WithReference(database).WaitFor(database)
        .WithReference(redis).WaitFor(redis)
        .WithReference(s3).WaitFor(s3);

    foreach (var service in new[] { api, worker })
    {
        service
            .WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName)
            // Links stand in stored CSVs and webhooks: both services must write the same.
            .WithEnvironment("Links__BaseUrl", settings.ApiUrl);
        // The sample photos are on this machine. Nowhere else may a CSV make us fetch from it.
        if (builder.Environment.IsDevelopment()) service.WithEnvironment("Egress__AllowLoopback", "true");
    }

    if (builder.Environment.IsDevelopment()) api.WithEnvironment("Pages__SampleCsv", settings.SamplesUrl + "/products.csv");

    await builder.Build().RunAsync();
    return Environment.ExitCode;

    bool IsGiven(string name) => !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(name));
}
catch (SettingException e)
{
    // Something that the person at the console can put right: the message says how, a stack trace would not.
    Console.Error.WriteLine(e.Message);
    return 1;
}
