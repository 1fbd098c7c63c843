using Darkroom.AppHost.Hosting;

if (Help.IsWanted(args)) return Help.Write(Console.Out);
try
{
    var builder = LocalHost.CreateBuilder(args);
    // What this machine lends: data folder, secrets, ports. Null when a manifest is written, which must know none of it.
    using var run = LocalRun.Open(builder);
    var containers = await builder.WantsContainersAsync();

    // The three that keep state: the one that ConnectionStrings__... names, else a container where those are wanted, else our own.
    IResourceBuilder<IResourceWithConnectionString> database = builder.IsGiven("darkroom") ? builder.AddConnectionString("darkroom")
        : run is null || containers ? builder.AddPostgresContainer("postgres", run).AddDatabase("darkroom")
        : builder.AddPostgresProcess("postgres", run).AddDatabase("darkroom");
    IResourceBuilder<IResourceWithConnectionString> redis = builder.IsGiven("redis") ? builder.AddConnectionString("redis")
        : run is null || containers ? builder.AddRedis("redis").WithWipeCommand()
        : builder.AddGarnet("redis");
    IResourceBuilder<IResourceWithConnectionString> s3 = builder.IsGiven("s3") || run is null ? builder.AddConnectionString("s3")
        : containers ? builder.AddMinioContainer("s3", run)
        : builder.AddS3Endpoint("s3", run);

    var api = builder.AddProject<Projects.ApiService>("api", launchProfileName: null)
        .LaunchBuilt()
        .WithPublicEndpoint(run)
        .WithReference(database).WaitFor(database)
        .WithReference(s3).WaitFor(s3);

    var worker = builder.AddProject<Projects.WorkerService>("worker", launchProfileName: null)
        .LaunchBuilt()
        .WithCodecEnvironment()
        .WithReference(database).WaitFor(database)
        .WithReference(redis).WaitFor(redis)
        .WithReference(s3).WaitFor(s3)
        // The page comes first: on a small machine, starting all at once takes everyone longer.
        .WaitFor(api);

    // Links stand in stored CSVs and webhooks: both services must write the same.
    builder.ShareLinks(run, api, worker);

    if (run is not null)
    {
        builder.RunHere(run, api, worker);
        builder.AddSamplePhotos(run.Settings);
        builder.FetchStudio();
        builder.StopInOrder().ReportRun();
    }

    await builder.Build().RunAsync();
    return run?.ExitCode ?? 0;
}
catch (OperationCanceledException)
{
    return 0; // Stopped before everything ran.
}
catch (SettingException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
