using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Local.Run;

namespace Darkroom.Tests.AppHost;

public sealed class ModelTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder([]);

    [Fact]
    public void What_the_local_host_cannot_run_is_refused_with_an_alternative()
    {
        var container = Assert.Throws<NotSupportedException>(() => _builder.AddContainer("cache", "valkey/valkey"));
        Assert.Contains("UseAspirePackages=true", container.Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => _builder.AddExecutable("tool", "tool", "."));
        Assert.Throws<NotSupportedException>(() => _builder.AddProject<Service>("service"));
        Assert.Throws<NotSupportedException>(() => _builder.AddPostgres("postgres").WithDataVolume(isReadOnly: true));
    }

    [Fact]
    public void Replicas_may_not_share_an_endpoint()
    {
        Assert.Throws<NotSupportedException>(() => Add("one").WithHttpEndpoint(port: 5000).WithReplicas(2));
        Assert.Throws<NotSupportedException>(() => Add("two").WithReplicas(2).WithHttpEndpoint(port: 5000));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("a--b")]
    [InlineData("a_b")]
    public void Names_follow_the_rules(string name) => Assert.Throws<ArgumentException>(() => Add(name));

    [Fact]
    public void Names_are_unique_whatever_their_case()
    {
        Add("api");
        Assert.Throws<InvalidOperationException>(() => Add("API"));
    }

    [Fact]
    public void Circles_of_waiting_are_refused()
    {
        var one = Add("one");
        var two = Add("two").WaitFor(one);
        one.WaitFor(two);

        var refused = Assert.Throws<InvalidOperationException>(() => _builder.Build());

        Assert.Contains("one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_finds_its_references_and_nothing_of_the_hosts_own()
    {
        var other = Add("other").WithHttpEndpoint(port: 5001);
        var given = _builder.AddConnectionString("s3", ReferenceExpression.Create($"Endpoint={"http://127.0.0.1:1"}"));
        var service = Add("service")
            .WithHttpEndpoint(port: 5002)
            .WithReference(other)
            .WithReference(given)
            .WithEnvironment("Access__DevelopmentKey", _builder.AddParameter("key", "secret"));

        var environment = await ProjectEnvironment.BuildAsync(
            service.Resource, "service", development: true, color: false, CancellationToken.None);

        Assert.Equal("http://localhost:5002", environment["ASPNETCORE_URLS"]);
        Assert.Equal("http://localhost:5001", environment["services__other__http__0"]);
        Assert.Equal("Endpoint=http://127.0.0.1:1", environment["ConnectionStrings__s3"]);
        Assert.Equal("secret", environment["Access__DevelopmentKey"]);
        Assert.Equal("service", environment["OTEL_SERVICE_NAME"]);
        Assert.False(environment.ContainsKey("DOTNET_ENVIRONMENT"));
        Assert.False(environment.ContainsKey("ASPNETCORE_ENVIRONMENT"));
    }

    private IResourceBuilder<ProjectResource> Add(string name) => _builder.AddProject<Service>(name, launchProfileName: null);

    private sealed class Service : ILocalProject
    {
        public string ProjectPath => "/Service/Service.csproj";

        public string AssemblyPath => "/Service/Service.dll";
    }
}
