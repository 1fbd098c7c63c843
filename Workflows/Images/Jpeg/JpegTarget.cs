using Darkroom.Images.Containers;

namespace Darkroom.Images.Jpeg;

/// <summary>What a transcoder is to make of a JPEG.</summary>
/// <param name="Quality">1 to 100.</param>
/// <param name="Orientation">How to turn it.</param>
/// <param name="Profile">The colour profile to keep, if any.</param>
/// <param name="Options">The settings.</param>
internal sealed record JpegTarget(int Quality, JpegOrientation Orientation, byte[]? Profile, JpegOptions Options)
{
    private const int FullChromaQuality = 90;

    /// <summary>Whether chroma gets half the resolution, as libvips decides it.</summary>
    public bool HalvesChroma => Quality < FullChromaQuality;

    /// <summary>The profile, if it is one for so many components.</summary>
    public byte[]? ProfileFor(int components) => Profile is not null && IccProfile.Parse(Profile)?.Channels == components ? Profile : null;
}
