using System.Numerics;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Turns an image without loss, as its EXIF orientation asks: blocks change their places, and the coefficients in each change their places and
/// signs. A mirrored side must be made of whole MCUs, or its padding would come first.
/// </summary>
internal sealed class JpegOrientation
{
    private static readonly JpegOrientation[] All = [.. Enumerable.Range(1, 8).Select(value => new JpegOrientation(value))];

    private readonly int _value;
    private readonly byte[] _places;
    private readonly ulong _negated;

    private JpegOrientation(int value)
    {
        _value = value;
        _places = MakePlaces(value);
        _negated = MakeNegated(value);
    }

    /// <param name="value">EXIF orientation, 1 to 8.</param>
    public static JpegOrientation Of(int value) => All[value - 1];

    /// <summary>Whether nothing changes.</summary>
    public bool IsUpright => _value == 1;

    /// <summary>Whether rows become columns.</summary>
    public bool Transposes => _value >= 5;

    /// <summary>Whether stored columns are read from the last.</summary>
    private bool MirrorsAcross => MirrorsColumns(_value);

    /// <summary>Whether stored rows are read from the last.</summary>
    private bool MirrorsDown => MirrorsRows(_value);

    /// <exception cref="NotTranscodableException">A mirrored side is not made of whole MCUs.</exception>
    public void ThrowIfLossy(JpegFrame frame)
    {
        if (MirrorsAcross && frame.Width % (8 * frame.Luma.Across) != 0 || MirrorsDown && frame.Height % (8 * frame.Luma.Down) != 0)
            throw new NotTranscodableException(NotTranscodable.Orientation);
    }

    /// <summary>Turns the block that is displayed at a place.</summary>
    public void Read(JpegComponent component, int column, int row, Span<short> turned)
    {
        var (x, y) = Transposes ? (row, column) : (column, row);
        var block = component.Plane.Block(
            MirrorsAcross ? component.BlocksAcross - 1 - x : x,
            MirrorsDown ? component.BlocksDown - 1 - y : y);
        turned.Clear();
        turned[0] = block[0];
        for (var rest = Requantiser.Identity.Survivors(block); rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            turned[_places[k]] = (_negated >> k & 1) != 0 ? (short)-block[k] : block[k];
        }
    }

    /// <summary>Turns a quantisation table.</summary>
    public void Read(ReadOnlySpan<ushort> steps, Span<ushort> turned)
    {
        for (var k = 0; k < CoefficientPlane.BlockSize; k++)
            turned[_places[k]] = steps[k];
    }

    private static bool MirrorsColumns(int orientation) => orientation is 2 or 3 or 7 or 8;

    private static bool MirrorsRows(int orientation) => orientation is 3 or 4 or 6 or 7;

    private static byte[] MakePlaces(int orientation)
    {
        var places = new byte[CoefficientPlane.BlockSize];
        for (var k = 0; k < places.Length; k++)
        {
            var natural = Zigzag.ToNatural[k];
            places[k] = orientation >= 5 ? Zigzag.FromNatural[natural % 8 * 8 + natural / 8] : (byte)k;
        }

        return places;
    }

    /// <summary>A mirrored cosine of odd frequency is its negative.</summary>
    private static ulong MakeNegated(int orientation)
    {
        var negated = 0UL;
        for (var k = 0; k < CoefficientPlane.BlockSize; k++)
        {
            var natural = Zigzag.ToNatural[k];
            if ((MirrorsColumns(orientation) && natural % 2 == 1) != (MirrorsRows(orientation) && natural / 8 % 2 == 1))
                negated |= 1UL << k;
        }

        return negated;
    }
}
