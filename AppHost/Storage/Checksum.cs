using System.Security.Cryptography;

namespace Darkroom.AppHost.Storage;

/// <summary>Computes one of S3's checksums incrementally.</summary>
internal sealed class Checksum : IDisposable
{
    public const string HeaderPrefix = "x-amz-checksum-";
    public const string Sha256 = "sha256";
    public static readonly string[] Algorithms = ["crc32", "crc32c", "crc64nvme", "sha1", Sha256];

    private readonly IncrementalHash? _hash;
    private readonly ReflectedCrc? _crc;

    public Checksum(string algorithm)
    {
        Algorithm = algorithm;
        (_hash, _crc) = algorithm switch
        {
            "crc32" => (null, ReflectedCrc.Crc32()),
            "crc32c" => (null, ReflectedCrc.Crc32C()),
            "crc64nvme" => (null, ReflectedCrc.Crc64Nvme()),
            "sha1" => (IncrementalHash.CreateHash(HashAlgorithmName.SHA1), (ReflectedCrc?)null),
            Sha256 => (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), null),
            _ => throw S3Error.NotImplemented($"the checksum {algorithm}"),
        };
    }

    /// <summary>The algorithm's name in lower case.</summary>
    public string Algorithm { get; }

    public void Append(ReadOnlySpan<byte> content)
    {
        _hash?.AppendData(content);
        _crc?.Append(content);
    }

    public byte[] Value() => _hash?.GetCurrentHash() ?? _crc!.Value();

    public static byte[] Of(string algorithm, ReadOnlySpan<byte> content)
    {
        using var checksum = new Checksum(algorithm);
        checksum.Append(content);
        return checksum.Value();
    }

    public void Dispose() => _hash?.Dispose();
}
