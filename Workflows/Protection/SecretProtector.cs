using Microsoft.AspNetCore.DataProtection;

namespace Darkroom.Protection;

/// <summary>
/// Encrypts secrets before they are stored. What is encrypted for one purpose cannot be decrypted for another, so that a secret that is
/// copied to another row is worthless there.
/// </summary>
public sealed class SecretProtector(IDataProtectionProvider provider)
{
    private const string Root = "Darkroom.Secrets";

    public string Protect(string secret, params string[] purpose) => For(purpose).Protect(secret);

    public byte[] Protect(byte[] secret, params string[] purpose) => For(purpose).Protect(secret);

    public string Unprotect(string stored, params string[] purpose) => For(purpose).Unprotect(stored);

    public byte[] Unprotect(byte[] stored, params string[] purpose) => For(purpose).Unprotect(stored);

    private IDataProtector For(string[] purpose) => provider.CreateProtector(Root, purpose);
}

/// <summary>Secrets in the database, which earlier versions stored in plain text.</summary>
public interface IStoredSecrets
{
    /// <summary>Encrypts those that are still in plain text. Safe to run in several processes at once.</summary>
    Task ProtectStoredAsync(CancellationToken cancellationToken);
}
