using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
        if (Bmi2.X64.IsSupported)
            RefineAcByMasks(ref reader, table, scan, block, ref endOfBand);
        else
            RefineAcOneByOne(ref reader, table, scan, block, ref endOfBand);
    }

    internal static void RefineAcOneByOne(ref BitReader reader, HuffmanDecoder table, JpegScan scan, Span<short> block, ref int endOfBand)
    {
        var bits = reader;
        var (last, one) = (scan.Last, (short)(1 << scan.Bit));
        var known = Requantiser.Identity.Survivors(block) & (ulong.MaxValue >> (63 - last));
        var k = scan.First;
        while (endOfBand == 0 && k <= last)
        {
            bits.Fill();
            var (run, value) = TakeStep(ref bits, table, one, ref endOfBand);
            if (endOfBand > 0)
                break;

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
                block[k] = (short)value;
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

    /// <summary>
    /// The same without a branch on what nobody can predict. Coefficient k is bit 63 - k of each mask: like the bits of the data, the first one is
    /// the highest.
    /// </summary>
    internal static void RefineAcByMasks(ref BitReader reader, HuffmanDecoder table, JpegScan scan, Span<short> block, ref int endOfBand)
    {
        var bits = reader;
        var one = (short)(1 << scan.Bit);
        var ahead = ulong.MaxValue >> scan.First & ulong.MaxValue << (63 - scan.Last);
        var known = Reverse(Requantiser.Identity.Survivors(block)) & ahead;
        var corrected = 0UL;
        while (endOfBand == 0 && ahead != 0)
        {
            bits.Fill();
            var (run, value) = TakeStep(ref bits, table, one, ref endOfBand);
            if (endOfBand > 0)
                break;

            // Where so many zeros have been skipped; 0 if there are not so many.
            var zeros = ahead & ~known;
            var left = BitOperations.PopCount(zeros) - run;
            var place = left > 0 ? Bmi2.X64.ParallelBitDeposit(1UL << (left - 1), zeros) : 0;
            var behind = place == 0 ? 0 : place - 1;
            corrected |= TakeBits(ref bits, known & ahead & ~behind);
            ahead &= behind;
            if (place != 0)
                block[BitOperations.LeadingZeroCount(place)] = (short)value;
            else if (value != 0)
                Throw();
        }

        if (endOfBand > 0)
        {
            corrected |= TakeBits(ref bits, known & ahead);
            endOfBand--;
        }

        if (corrected != 0)
            Correct(block, corrected, one);
        reader = bits;
    }

    /// <summary>How many zeros come first, and what follows them, which is 0 for sixteen zeros; or else the blocks in which the band has ended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int Run, int Value) TakeStep(ref BitReader bits, HuffmanDecoder table, short one, ref int endOfBand)
    {
        var symbol = bits.TakeSymbol(table);
        var (run, category) = (symbol >> 4, symbol & 15);
        if (category > 1)
            Throw();
        if (category == 1)
            return (run, (2 * bits.Take(1) - 1) * one);
        if (run < 15)
            endOfBand = (1 << run) + (run > 0 ? bits.Take(run) : 0);
        return (run, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Refine(ref BitReader bits, ref short coefficient, short one)
    {
        bits.Fill();
        if (bits.Take(1) != 0)
            coefficient += coefficient > 0 ? one : (short)-one;
    }

    /// <summary>The next bits of the data, one for each bit of a mask, in its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong TakeBits(ref BitReader bits, ulong mask)
    {
        var count = BitOperations.PopCount(mask);
        if (count > 32)
            return TakeManyBits(ref bits, mask, count);
        bits.Fill();
        return Bmi2.X64.ParallelBitDeposit(bits.TakeAny(count), mask);
    }

    private static ulong TakeManyBits(ref BitReader bits, ulong mask, int count)
    {
        var lower = Bmi2.X64.ParallelBitDeposit((1UL << (count - 32)) - 1, mask);
        return TakeBits(ref bits, mask ^ lower) | TakeBits(ref bits, lower);
    }

    /// <summary>Moves coefficients away from zero.</summary>
    private static void Correct(Span<short> block, ulong which, short one)
    {
        var lanes = Vector256.Create((ushort)0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10, 8, 4, 2, 1).AsInt16();
        for (var k = 0; k < CoefficientPlane.BlockSize; k += Vector256<short>.Count, which <<= Vector256<short>.Count)
        {
            var isChosen = Vector256.Equals(Vector256.Create((short)(which >> 48)) & lanes, lanes);
            var values = Vector256.Create(block[k..]);
            var sign = values >> 15;
            (values + (((Vector256.Create(one) ^ sign) - sign) & isChosen)).CopyTo(block[k..]);
        }
    }

    private static ulong Reverse(ulong bits)
    {
        bits = (bits >> 1 & 0x5555555555555555) | (bits & 0x5555555555555555) << 1;
        bits = (bits >> 2 & 0x3333333333333333) | (bits & 0x3333333333333333) << 2;
        bits = (bits >> 4 & 0x0F0F0F0F0F0F0F0F) | (bits & 0x0F0F0F0F0F0F0F0F) << 4;
        return BinaryPrimitives.ReverseEndianness(bits);
    }

    private static void Throw() => throw new NotTranscodableException(NotTranscodable.Damaged);
}
