using System.Buffers.Binary;
using Darkroom.Images.Containers;

namespace Darkroom.Images.Jpeg;

/// <summary>What a frame header says (ITU T.81, B.2.2), if it is one that we transcode.</summary>
internal sealed class JpegFrame
{
    private JpegFrame(int width, int height, bool isProgressive, JpegComponent[] components)
    {
        (Width, Height, IsProgressive, Components) = (width, height, isProgressive, components);
        McusAcross = DivideUp(width, 8 * Luma.Across);
        McusDown = DivideUp(height, 8 * Luma.Down);
        foreach (var component in components)
        {
            component.BlocksAcross = DivideUp(width * component.Across, 8 * Luma.Across);
            component.BlocksDown = DivideUp(height * component.Down, 8 * Luma.Down);
        }
    }

    public int Width { get; }

    public int Height { get; }

    public bool IsProgressive { get; }

    /// <summary>One for grey, or luma and two of chroma.</summary>
    public JpegComponent[] Components { get; }

    /// <summary>The component with the largest sampling factors.</summary>
    public JpegComponent Luma => Components[0];

    public bool IsGrey => Components.Length == 1;

    public int McusAcross { get; }

    public int McusDown { get; }

    /// <summary>The memory that the coefficients of so many rows of MCUs take.</summary>
    public long CoefficientBytes(int rows) =>
        Components.Sum(component => component.Across * component.Down) * (long)McusAcross * rows * CoefficientPlane.BlockSize * sizeof(short);

    /// <exception cref="NotTranscodableException">It is not one that we transcode.</exception>
    public static JpegFrame Read(byte marker, ReadOnlySpan<byte> payload)
    {
        if (marker is not (JpegMarker.Sof0 or JpegMarker.Sof1 or JpegMarker.Sof2) || payload.Length < 6 || payload[0] != 8)
            throw new NotTranscodableException(NotTranscodable.Process);
        var height = BinaryPrimitives.ReadUInt16BigEndian(payload[1..]);
        var width = BinaryPrimitives.ReadUInt16BigEndian(payload[3..]);
        var count = payload[5];
        if (count is not (1 or 3))
            throw new NotTranscodableException(NotTranscodable.Colour);
        if (width == 0 || height == 0 || payload.Length != 6 + 3 * count)
            throw new NotTranscodableException(NotTranscodable.Damaged);

        var components = new JpegComponent[count];
        for (var i = 0; i < count; i++)
        {
            var (id, sampling, quantiser) = (payload[6 + i * 3], payload[7 + i * 3], payload[8 + i * 3]);
            if (quantiser > 3 || components[..i].Any(component => component.Id == id))
                throw new NotTranscodableException(NotTranscodable.Damaged);
            // A single component is coded block by block, whatever its factors.
            components[i] = new JpegComponent(id, count == 1 ? 1 : sampling >> 4, count == 1 ? 1 : sampling & 15, quantiser);
        }

        if (count == 3)
            ThrowIfUnusual(components);
        return new JpegFrame(width, height, marker == JpegMarker.Sof2, components);
    }

    private static void ThrowIfUnusual(JpegComponent[] components)
    {
        if (components is [{ Id: 'R' }, { Id: 'G' }, { Id: 'B' }])
            throw new NotTranscodableException(NotTranscodable.Colour);
        if (components is not [{ Across: 1 or 2, Down: 1 or 2 }, { Across: 1, Down: 1 }, { Across: 1, Down: 1 }])
            throw new NotTranscodableException(NotTranscodable.Sampling);
    }

    private static int DivideUp(int size, int by) => (size + by - 1) / by;
}
