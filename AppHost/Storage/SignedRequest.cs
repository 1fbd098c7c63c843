using System.Security.Cryptography;
using System.Text;

namespace Darkroom.AppHost.Storage;

/// <summary>A request whose signature holds: what its body, and the chunks of its body, are to be checked with.</summary>
/// <param name="Payload">The hash of the body in hex, or the name of the way in which it is signed.</param>
/// <param name="Signature">The seed of the chain of chunk signatures.</param>
internal sealed record SignedRequest(byte[] Key, string Timestamp, string Scope, string Payload, string Signature)
{
    private static readonly string EmptyHash = Convert.ToHexStringLower(SHA256.HashData([]));

    public bool Matches(string toSign, string signature)
    {
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(toSign), expected);
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(expected)), Encoding.ASCII.GetBytes(signature));
    }

    public bool ChunkMatches(string previous, ReadOnlySpan<byte> hash, string signature) =>
        Matches($"AWS4-HMAC-SHA256-PAYLOAD\n{Timestamp}\n{Scope}\n{previous}\n{EmptyHash}\n{Convert.ToHexStringLower(hash)}", signature);

    public bool TrailerMatches(string previous, ReadOnlySpan<byte> hash, string signature) =>
        Matches($"AWS4-HMAC-SHA256-TRAILER\n{Timestamp}\n{Scope}\n{previous}\n{Convert.ToHexStringLower(hash)}", signature);
}
