using System.Reflection;
using Xunit.Sdk;

namespace Darkroom.Tests.Infrastructure;

/// <summary>Runs a theory on Garnet, which every checkout has.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnGarnetAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[RedisKind.Garnet]];
}

/// <summary>Runs a theory on an installed <c>redis-server</c>; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnRedisServerAttribute : DataAttribute
{
    public OnRedisServerAttribute()
    {
        if (RedisServerExecutable.Path is null) Skip = "No redis-server on the PATH (Debian: apt-get install redis-server).";
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[RedisKind.RedisServer]];
}

internal static class RedisServerExecutable
{
    /// <summary>Where it is, or null.</summary>
    public static string? Path { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .SelectMany(folder => new[] { "redis-server", "redis-server.exe", "valkey-server" }.Select(name => System.IO.Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);
}
