using System.Numerics;
using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>Decodes what a progressive scan adds to a block (ITU T.81, G.2).</summary>
internal static class ProgressiveBlock
{
    // Coefficients of 8-bit samples; see BaselineBlock for those of DC.
    private const int MaxMagnitude = 1023;

    /// <summary>The DC coefficient but for its lowest bits.</summary>
    public static void ReadDc(ref BitReader reader, JpegComponent component, int bit, Span<short> block)
    {
        var bits = reader;
        bits.Fill();
        component.Prediction += bits.TakeValue(bits.TakeSymbol(component.Dc));
        var value = component.Prediction << bit;
        if (component.Prediction is < BaselineBlock.MinDc or > BaselineBlock.MaxDc || value is < BaselineBlock.MinDc or > BaselineBlock.MaxDc)
            Throw();
        block[0] = (short)value;
        reader = bits;
    }

    /// <summary>One more bit of the DC coefficient.</summary>
    public static void RefineDc(ref BitReader reader, int bit, Span<short> block)
    {
        reader.Fill();
        block[0] |= (short)(reader.Take(1) << bit);
    }

    /// <summary>A band of AC coefficients but for their lowest bits.</summary>
    /// <param name="endOfBand">Blocks from here on in which the band holds nothing more.</param>
    public static void ReadAc(ref BitReader reader, HuffmanDecoder table, JpegScan scan, Span<short> block, ref int endOfBand)
    {
        if (endOfBand > 0)
        {
            endOfBand--;
            return;
        }

        var bits = reader;
        var steps = table.Steps;
        var (last, bit) = (scan.Last, scan.Bit);
        for (var k = scan.First; k <= last; k++)
        {
            bits.Fill();
            var step = steps[bits.Peek(HuffmanDecoder.LookUpBits)];
            var value = step >> 16;
            if (value != 0)
            {
                bits.Skip(step & 0xFF);
                k += (step >> 8) & 0xFF;
            }
            else
            {
                var symbol = bits.TakeSymbol(table);
                var (run, category) = (symbol >> 4, symbol & 15);
                if (category == 0 && run < 15)
                {
                    endOfBand = (1 << run) - 1 + (run > 0 ? bits.Take(run) : 0);
                    break;
                }

                k += run;
                value = bits.TakeValue(category);
            }

            value <<= bit;
            if (k > last || value is < -MaxMagnitude or > MaxMagnitude)
                Throw();
            block[k] = (short)value;
        }

        reader = bits;
    }

    /// <summary>One more bit of a band of AC coefficients, and those that it makes the first bit of.</summary>
    /// <param name="endOfBand">Blocks from here on in which no coefficient becomes other than zero.</param>
    public static void RefineAc(ref BitReader reader, HuffmanDecoder table, JpegScan scan, Span<short> block, ref int endOfBand)
    {
        var bits = reader;
        var (last, one) = (scan.Last, (short)(1 << scan.Bit));
        var known = Requantiser.Identity.Survivors(block) & (ulong.MaxValue >> (63 - last));
        var k = scan.First;
        while (endOfBand == 0 && k <= last)
        {
            bits.Fill();
            var symbol = bits.TakeSymbol(table);
            var (run, category) = (symbol >> 4, symbol & 15);
            short value = 0;
            if (category == 1)
                value = bits.Take(1) != 0 ? one : (short)-one;
            else if (category != 0)
                Throw();
            else if (run < 15)
            {
                endOfBand = (1 << run) + (run > 0 ? bits.Take(run) : 0);
                break;
            }

            // Skips so many that are still zero, and refines the others on the way.
            for (; k <= last; k++)
            {
                var rest = known >> k;
                var zeros = rest == 0 ? last + 1 - k : BitOperations.TrailingZeroCount(rest);
                if (run < zeros)
                {
                    k += run;
                    break;
                }

                run -= zeros;
                k += zeros;
                if (k <= last)
                    Refine(ref bits, ref block[k], one);
            }

            if (value != 0)
            {
                if (k > last)
                    Throw();
                block[k] = value;
            }

            k++;
        }

        if (endOfBand > 0)
        {
            for (var rest = k > last ? 0 : known >> k << k; rest != 0; rest &= rest - 1)
                Refine(ref bits, ref block[BitOperations.TrailingZeroCount(rest)], one);
            endOfBand--;
        }

        reader = bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Refine(ref BitReader bits, ref short coefficient, short one)
    {
        bits.Fill();
        if (bits.Take(1) != 0)
            coefficient += coefficient > 0 ? one : (short)-one;
    }

    private static void Throw() => throw new NotTranscodableException(NotTranscodable.Damaged);
}
