using System.ComponentModel.DataAnnotations;

namespace Darkroom.Protection;

/// <summary>Section <c>Secrets</c>: encryption of the secrets in the database. The same for all processes.</summary>
public sealed class SecretsOptions : IValidatableObject
{
    public const string Section = "Secrets";

    /// <summary>
    /// Encrypts the key ring in the database: 32 random bytes as base64 (<c>openssl rand -base64 32</c>). Default none: the ring is then
    /// stored in plain text, and whoever can read the whole database can decrypt the secrets in it.
    /// </summary>
    public string? Key { get; set; }

    /// <summary>
    /// The key used before <see cref="Key"/>. Default none. Needed for one start after <see cref="Key"/> has been changed.
    /// </summary>
    public string? PreviousKey { get; set; }

    internal bool HasKey => !string.IsNullOrEmpty(Key);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, value) in new[] { (nameof(Key), Key), (nameof(PreviousKey), PreviousKey) })
            if (!string.IsNullOrEmpty(value) && RingCipher.ReadKey(value) is null)
                yield return new ValidationResult($"{Section}:{name} must be {RingCipher.KeyBytes} bytes, written as base64.");
        if (!HasKey && !string.IsNullOrEmpty(PreviousKey))
            yield return new ValidationResult($"{Section}:PreviousKey is set without {Section}:Key. To go on with the previous key, set it as {Section}:Key.");
    }
}
