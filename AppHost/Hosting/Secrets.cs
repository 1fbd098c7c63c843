using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Darkroom.AppHost.Hosting;

/// <summary>The secrets of a development installation: made at its first start, and kept, for the data knows them.</summary>
/// <param name="DevelopmentKey">The API key that is printed at each start.</param>
/// <param name="PostgresPassword">Of the embedded server's superuser.</param>
/// <param name="S3AccessKey">Of the embedded S3 endpoint.</param>
/// <param name="S3SecretKey">Of the embedded S3 endpoint.</param>
internal sealed record Secrets(string DevelopmentKey, string PostgresPassword, string S3AccessKey, string S3SecretKey)
{
    public static Secrets ReadOrCreate(string path)
    {
        if (File.Exists(path)) return JsonSerializer.Deserialize<Secrets>(File.ReadAllBytes(path), JsonSerializerOptions.Web)!;
        var made = new Secrets(
            $"dk_{RandomNumberGenerator.GetHexString(8, lowercase: true)}_{Random(32)}",
            RandomNumberGenerator.GetHexString(32, lowercase: true),
            RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20),
            Random(30));
        PrivateFolder.WriteFile(path, JsonSerializer.SerializeToUtf8Bytes(made, JsonSerializerOptions.Web));
        return made;
    }

    private static string Random(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));
}
