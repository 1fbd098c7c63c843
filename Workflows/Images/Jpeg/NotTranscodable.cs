namespace Darkroom.Images.Jpeg;

/// <summary>Why a JPEG is left to the general codec, whose verdict on it stands.</summary>
internal enum NotTranscodable
{
    /// <summary>Lossless, hierarchical or arithmetic coding, or samples of other than 8 bits.</summary>
    Process,

    /// <summary>Neither grey nor YCbCr: RGB, CMYK, YCCK.</summary>
    Colour,

    /// <summary>Chroma sampled other than 4:4:4, 4:2:2, 4:4:0 or 4:2:0.</summary>
    Sampling,

    /// <summary>Quantiser steps above 255, which a baseline file cannot have.</summary>
    Quantisation,

    /// <summary>A mirrored side ends within a block: turned without decoding, its padding would show.</summary>
    Orientation,

    /// <summary>More detail than the memory granted to it holds.</summary>
    Size,

    /// <summary>Anything that a correct encoder does not write. Decoders tolerate some of it.</summary>
    Damaged,
}

/// <summary>Ends an attempt to transcode a JPEG. Never leaves <see cref="JpegTranscoder"/>.</summary>
internal sealed class NotTranscodableException(NotTranscodable reason) : Exception($"The JPEG cannot be transcoded: {reason}.")
{
    public NotTranscodable Reason => reason;
}
