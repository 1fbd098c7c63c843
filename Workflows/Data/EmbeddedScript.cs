using StackExchange.Redis;

namespace Darkroom.Data;

/// <summary>An embedded <c>.lua</c> file. Once the server has cached the script, the client sends only its hash.</summary>
/// <param name="user">The type that uses the script, which stands in the same folder.</param>
/// <param name="name">The file's name without extension.</param>
public sealed class EmbeddedScript(Type user, string name)
{
    private readonly string _text = Read(user, name);

    public Task<RedisResult> RunAsync(IDatabase redis, RedisKey[] keys, RedisValue[] arguments) =>
        redis.ScriptEvaluateAsync(_text, keys, arguments);

    private static string Read(Type user, string name)
    {
        using var stream = user.Assembly.GetManifestResourceStream(user, $"{name}.lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
