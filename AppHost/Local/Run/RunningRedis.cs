using Aspire.Hosting.ApplicationModel;

namespace Darkroom.AppHost.Local.Run;

/// <summary>Garnet inside this process. It keeps nothing: what it holds is rebuilt from Postgres.</summary>
internal sealed class RunningRedis(GarnetServer server) : IRunning
{
    public IEnumerable<RunningProcess> Processes => [];

    public static RunningRedis Start(RedisResource resource)
    {
        var server = GarnetServer.Start(resource.Port);
        resource.Started.SetResult(server.ConnectionString);
        return new RunningRedis(server);
    }

    public Task StopAsync()
    {
        server.Dispose();
        return Task.CompletedTask;
    }
}
