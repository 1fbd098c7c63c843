using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Darkroom.AppHost.Hosting;

/// <summary>The secrets of a development installation: made at its first start, and kept, for the data knows them.</summary>
/// <param name="DevelopmentKey">The API key that is printed at each start.</param>
/// <param name="PostgresPassword">Of the embedded server's superuser.</param>
/// <param name="S3AccessKey">Of the embedded S3 endpoint.</param>
/// <param name="S3SecretKey">Of the embedded S3 endpoint.</param>
/// <param name="DashboardToken">Opens the dashboard. Kept, so that a browser that is signed in stays so.</param>
internal sealed record Secrets(
    string DevelopmentKey, string PostgresPassword, string S3AccessKey, string S3SecretKey, string DashboardToken)
{
    public static Secrets ReadOrCreate(string path)
    {
        var kept = File.Exists(path) ? JsonSerializer.Deserialize<Secrets>(File.ReadAllBytes(path), JsonSerializerOptions.Web) : null;
        // A folder of an earlier version knows fewer.
        var all = new Secrets(
            kept?.DevelopmentKey ?? $"dk_{Hex(8)}_{Random(32)}",
            kept?.PostgresPassword ?? Hex(32),
            kept?.S3AccessKey ?? RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20),
            kept?.S3SecretKey ?? Random(30),
            kept?.DashboardToken ?? Hex(32));
        if (all != kept) PrivateFolder.WriteFile(path, JsonSerializer.SerializeToUtf8Bytes(all, JsonSerializerOptions.Web));
        return all;
    }

    private static string Hex(int digits) => RandomNumberGenerator.GetHexString(digits, lowercase: true);

    private static string Random(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));
}
