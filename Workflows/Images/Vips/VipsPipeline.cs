using Darkroom.Images.Containers;
using NetVips;

namespace Darkroom.Images.Vips;

/// <summary>
/// One image being processed by libvips. Every step replaces the image. Evaluation is lazy: pixels are computed row by row during
/// encoding, except where a rotation needs the whole image. Disposing releases the native memory.
/// </summary>
internal sealed class VipsPipeline : IDisposable
{
    private const string ProfileField = "icc-profile-data";

    private readonly Stack<Image> _images = new();
    private readonly Image _loaded;

    public VipsPipeline(Image loaded)
    {
        _loaded = loaded;
        _images.Push(loaded);
        Frames = loaded.PageHeight > 0 ? loaded.Height / loaded.PageHeight : 1;
    }

    public Image Image => _images.Peek();

    public int Frames { get; }

    public int Width => Image.Width;

    public int FrameHeight => Image.Height / Frames;

    /// <summary>Makes the running computation fail soon. Thread-safe.</summary>
    public void Kill() => _loaded.SetKill(true);

    /// <summary>Converts to 8-bit grey or sRGB, or to 8 bits in the colour space of a kept profile.</summary>
    public void NormaliseColour(int maxProfileBytes)
    {
        var profileBytes = Image.Contains(ProfileField) ? (byte[])Image.Get(ProfileField) : [];
        var profile = IccProfile.Parse(profileBytes);
        if (Image.Interpretation == Enums.Interpretation.Cmyk)
        {
            ToSrgb(embedded: profile?.Channels == 4);
            return;
        }

        var isGrey = Image.Bands <= 2;
        if (profile is null or { IsSrgb: true } || profile.Channels != (isGrey ? 1 : 3) || profileBytes.Length > maxProfileBytes)
            Drop(ProfileField);
        var wanted = isGrey ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb;
        if (Image.Interpretation != wanted)
            Then(Image.Colourspace(wanted));
        if (Image.Format != Enums.BandFormat.Uchar)
            Then(Image.Cast(Enums.BandFormat.Uchar));
    }

    /// <summary>Applies the EXIF orientation (1 to 8).</summary>
    public void Orient(int orientation)
    {
        Drop("orientation");
        if (orientation <= 1)
            return;
        // Rows are needed in a different order than they are decoded.
        if (orientation > 2)
            Then(Image.CopyMemory());
        EachFrame(frame => orientation switch
        {
            2 => frame.FlipHor(),
            3 => frame.Rot180(),
            4 => frame.FlipVer(),
            5 => Chain(frame.Rot90(), rotated => rotated.FlipHor()),
            6 => frame.Rot90(),
            7 => Chain(frame.Rot270(), rotated => rotated.FlipHor()),
            _ => frame.Rot270(),
        });
    }

    public void Resize(ImageStep.Resize step)
    {
        var size = ResizeMath.Plan(step, Width, FrameHeight);
        if (size.IsNoOp(Width, FrameHeight))
            return;
        if (Frames > 1)
            Then(Image.CopyMemory());
        EachFrame(frame => Chain(
            size.ScalesFrom(frame.Width, frame.Height)
                ? frame.ThumbnailImage(size.ScaledWidth, height: size.ScaledHeight, size: Enums.Size.Force, noRotate: true)
                : frame.Copy(),
            scaled => scaled.Crop(
                (size.ScaledWidth - size.Width) / 2, (size.ScaledHeight - size.Height) / 2, size.Width, size.Height)));
    }

    public void FlattenOnWhite()
    {
        if (Image.HasAlpha())
            Then(Image.Flatten(background: [255.0]));
    }

    /// <summary>Converts to sRGB for a format that cannot carry a profile.</summary>
    public void ApplyProfile()
    {
        if (Image.Contains(ProfileField))
            ToSrgb(embedded: true);
    }

    private void ToSrgb(bool embedded)
    {
        if (!embedded)
            Drop(ProfileField);
        Then(Image.IccTransform("srgb", embedded: embedded, inputProfile: "cmyk", intent: Enums.Intent.Relative, blackPointCompensation: true));
        Drop(ProfileField);
    }

    private void EachFrame(Func<Image, Image> change)
    {
        if (Frames == 1)
        {
            Then(change(Image));
            return;
        }

        var height = FrameHeight;
        var frames = new Image[Frames];
        try
        {
            for (var i = 0; i < frames.Length; i++)
            {
                using var frame = Image.Crop(0, i * height, Width, height);
                frames[i] = change(frame);
            }

            Then(Image.Arrayjoin(frames, across: 1));
            SetPageHeight(Image.Height / Frames);
        }
        finally
        {
            foreach (var frame in frames)
                frame?.Dispose();
        }
    }

    private void SetPageHeight(int height) => Then(Image.Mutate(image => image.Set(GValue.GIntType, "page-height", height)));

    private void Drop(string field)
    {
        if (Image.Contains(field))
            Then(Image.Mutate(image => image.Remove(field)));
    }

    private void Then(Image next) => _images.Push(next);

    private static Image Chain(Image first, Func<Image, Image> second)
    {
        using (first)
            return second(first);
    }

    public void Dispose()
    {
        while (_images.TryPop(out var image))
            image.Dispose();
    }
}
