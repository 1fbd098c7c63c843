using Darkroom.AppHost.Hosting;

if (Help.IsRequested(args))
    return Help.Write(Console.Out);
try
{
    var builder = LocalHost.CreateBuilder(args);
    // Data folder, secrets and ports of a local run. Null when publishing: a manifest must not contain anything of this machine.
    using var run = LocalRun.Open(builder);
    var useContainers = await builder.UsesContainersAsync();

    // The stateful resources: an external server if ConnectionStrings__... names one, else a container if enabled, else a server that we run.
    IResourceBuilder<IResourceWithConnectionString> database = builder.HasConnectionString("darkroom") ? builder.AddConnectionString("darkroom")
        : run is null || useContainers ? builder.AddPostgresContainer("postgres", run).AddDatabase("darkroom")
        : builder.AddPostgresProcess("postgres", run).AddDatabase("darkroom");
    IResourceBuilder<IResourceWithConnectionString> redis = builder.HasConnectionString("redis") ? builder.AddConnectionString("redis")
        : run is null || useContainers ? builder.AddRedis("redis").WithWipeCommand()
        : builder.AddGarnet("redis");
    IResourceBuilder<IResourceWithConnectionString> s3 = builder.HasConnectionString("s3") || run is null ? builder.AddConnectionString("s3")
        : useContainers ? builder.AddMinioContainer("s3", run)
        : builder.AddS3Endpoint("s3", run);

    var api = builder.AddProject<Projects.ApiService>("api", launchProfileName: null)
        .RunFromBuildOutput()
        .WithPublicEndpoint(run)
        .WithReference(database).WaitFor(database)
        .WithReference(s3).WaitFor(s3)
        .WithReference(redis); // Not waited for: it only counts calls, and the API does that by itself meanwhile.

    var worker = builder.AddProject<Projects.WorkerService>("worker", launchProfileName: null)
        .RunFromBuildOutput()
        .WithReference(database).WaitFor(database)
        .WithReference(redis).WaitFor(redis)
        .WithReference(s3).WaitFor(s3)
        // The API goes first: on a small machine, starting everything at once delays the page.
        .WaitFor(api);

    // What one service writes, links and encrypted secrets, the other must be able to read.
    builder.ShareLinks(run, api, worker).ShareEncryptionKey(run, api, worker);

    if (run is not null)
    {
        builder.ConfigureLocalRun(run, api, worker);
        builder.AddSamplePhotos(run.Settings);
        builder.FetchStudio();
        builder.StopInOrder().ReportRun();
    }

    await builder.Build().RunAsync();
    return run?.ExitCode ?? 0;
}
catch (OperationCanceledException)
{
    return 0; // Stopped during startup.
}
catch (SettingException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
