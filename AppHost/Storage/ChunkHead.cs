using System.Globalization;

namespace Darkroom.AppHost.Storage;

/// <summary>The line before each chunk: <c>size in hex[;chunk-signature=hex]</c>.</summary>
internal readonly record struct ChunkHead(long Size, string Signature)
{
    private const string SignatureName = "chunk-signature=";

    public static ChunkHead Parse(string? line)
    {
        if (line is null) throw S3Error.IncompleteBody();
        var semicolon = line.IndexOf(';', StringComparison.Ordinal);
        var size = semicolon < 0 ? line : line[..semicolon];
        if (!long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bytes) || bytes < 0)
            throw S3Error.InvalidRequest("The size of a chunk is not valid.");
        var extension = semicolon < 0 ? "" : line[(semicolon + 1)..];
        return new ChunkHead(bytes, extension.StartsWith(SignatureName, StringComparison.Ordinal) ? extension[SignatureName.Length..] : "");
    }
}
