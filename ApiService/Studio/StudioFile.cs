namespace Darkroom.Api.Studio;

/// <summary>One file of the package, with the packed copies that lie beside it.</summary>
/// <param name="Path">Of the plain file.</param>
/// <param name="ContentType">Of the plain file, whatever its packing.</param>
/// <param name="IsFingerprinted">Its name changes with its content.</param>
/// <param name="Packed">Path by content coding, the smallest first.</param>
internal sealed record StudioFile(string Path, string ContentType, bool IsFingerprinted, IReadOnlyList<(string Coding, string Path)> Packed);
