namespace Darkroom.Images;

/// <summary>A library that decodes images and encodes them again. It reads hostile files, so it runs only in a decoder.</summary>
internal interface IPixelCodec
{
    /// <summary>Whether it can read this file and write what the job asks for.</summary>
    bool Supports(ImageHeader header, CodecJob job);

    /// <summary>Decodes the file, applies the job and appends the result to <paramref name="output"/>.</summary>
    /// <exception cref="ImageFailedException">The file or the job is at fault.</exception>
    EncodedImage Encode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output);
}

/// <summary>What was decoded and encoded: the displayed sizes, and how many frames or pages.</summary>
internal readonly record struct EncodedImage((int Width, int Height) Source, (int Width, int Height) Output, int Frames);
