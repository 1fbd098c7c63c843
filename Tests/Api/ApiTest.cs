using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Api;

/// <summary>Gives each test its own database, bucket and API, with two owners.</summary>
public abstract class ApiTest : IAsyncLifetime
{
    internal TestDatabase Database { get; private set; } = null!;
    internal TestS3 S3 { get; private set; } = null!;
    internal TestApi Api { get; private set; } = null!;
    internal HttpClient Alice { get; private set; } = null!;
    internal HttpClient Bob { get; private set; } = null!;

    /// <summary>Settings of the API under test.</summary>
    protected virtual string[] Settings => [];

    public virtual async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        S3 = await TestS3.StartAsync();
        Api = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, Settings);
        Alice = await Api.ClientAsync("alice");
        Bob = await Api.ClientAsync("bob");
    }

    public virtual async Task DisposeAsync()
    {
        Alice.Dispose();
        Bob.Dispose();
        await Api.DisposeAsync();
        await S3.DisposeAsync();
        await Database.DisposeAsync();
    }
}
