namespace Darkroom.Engine.Bodies;

/// <summary>An image as it lies in S3: what is recorded of an original or an output.</summary>
/// <param name="Key">Its key in the bucket.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Width">Pixels, or null where nobody has looked inside.</param>
/// <param name="Height">Pixels, or null where nobody has looked inside.</param>
/// <param name="Sha256">Digest of the stored bytes.</param>
public sealed record ImageObject(string Key, string ContentType, long Bytes, int? Width, int? Height, byte[] Sha256);
