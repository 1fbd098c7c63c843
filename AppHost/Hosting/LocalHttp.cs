namespace Darkroom.AppHost.Hosting;

/// <summary>HTTP within this machine. A proxy in the environment is meant for downloading packages, and could not reach our servers.</summary>
internal static class LocalHttp
{
    private static readonly string[] Hosts = ["localhost", "127.0.0.1", "::1", "[::1]"];

    /// <summary>
    /// Exempts this machine from the proxy, for what we cannot configure: Aspire's probes, its connection to its orchestrator, on which a start
    /// would hang, and the dashboard and telemetry of the child processes.
    /// </summary>
    public static void ExemptFromProxy()
    {
        var exempt = Environment.GetEnvironmentVariable("no_proxy") ?? Environment.GetEnvironmentVariable("NO_PROXY") ?? "";
        var value = string.Join(',', exempt.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Union(Hosts));
        // Some programs read only one of the two, and others prefer one of them.
        foreach (var name in new[] { "no_proxy", "NO_PROXY" })
#pragma warning disable RS0030 // .NET reads it when it first needs the proxy, and child processes started by this runtime do inherit it.
            Environment.SetEnvironmentVariable(name, value);
#pragma warning restore RS0030
    }

    public static HttpClient CreateClient() => new(new SocketsHttpHandler { UseProxy = false });
}
