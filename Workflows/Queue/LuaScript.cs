using StackExchange.Redis;

namespace Darkroom.Queue;

/// <summary>One of the <c>.lua</c> files of this folder. The client sends its hash once the server knows it.</summary>
internal sealed class LuaScript(string name)
{
    private readonly string _text = Read(name);

    public Task<RedisResult> RunAsync(IDatabase redis, RedisKey[] keys, RedisValue[] arguments) =>
        redis.ScriptEvaluateAsync(_text, keys, arguments);

    private static string Read(string name)
    {
        using var stream = typeof(LuaScript).Assembly.GetManifestResourceStream($"Darkroom.Queue.{name}.lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
