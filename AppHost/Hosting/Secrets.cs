using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Darkroom.AppHost.Hosting;

/// <summary>The secrets of a development installation: generated at the first start, then kept, because the stored data depends on them.</summary>
/// <param name="DevelopmentKey">The API key that is printed at every start.</param>
/// <param name="PostgresPassword">Password of the embedded server's superuser.</param>
/// <param name="EncryptionKey">Encrypts the secrets in the database (<c>Secrets:Key</c> of the services).</param>
/// <param name="S3AccessKey">Access key of the embedded S3 endpoint.</param>
/// <param name="S3SecretKey">Secret key of the embedded S3 endpoint.</param>
/// <param name="DashboardToken">Login token of the dashboard. Kept, so that browsers stay signed in across restarts.</param>
internal sealed record Secrets(
    string DevelopmentKey, string PostgresPassword, string EncryptionKey, string S3AccessKey, string S3SecretKey, string DashboardToken)
{
    public static Secrets ReadOrCreate(string path)
    {
        var saved = File.Exists(path) ? JsonSerializer.Deserialize<Secrets>(File.ReadAllBytes(path), JsonSerializerOptions.Web) : null;
        // A data folder from an earlier version may lack some.
        var secrets = new Secrets(
            saved?.DevelopmentKey ?? $"dk_{Hex(8)}_{Random(32)}",
            saved?.PostgresPassword ?? Hex(32),
            saved?.EncryptionKey ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            saved?.S3AccessKey ?? RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20),
            saved?.S3SecretKey ?? Random(30),
            saved?.DashboardToken ?? Hex(32));
        if (secrets != saved)
            PrivateFolder.WriteFile(path, JsonSerializer.SerializeToUtf8Bytes(secrets, JsonSerializerOptions.Web));
        return secrets;
    }

    private static string Hex(int digits) => RandomNumberGenerator.GetHexString(digits, lowercase: true);

    private static string Random(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));
}
