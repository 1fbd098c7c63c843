using System.Buffers.Binary;

namespace Darkroom.Tests.Images.Jpeg;

/// <summary>
/// Writes sequential JPEG files of forms that the libraries at hand do not write: any sampling, one scan for each component, restart markers.
/// It shares no code with the product, and is as plain as can be: all codes of a table have the same length.
/// </summary>
internal sealed class JpegSample(int width, int height, params (int Across, int Down)[] sampling)
{
    private const int BlockSize = 64;

    public bool IsInterleaved { get; init; } = true;

    /// <summary>MCUs between restart markers; 0 for none.</summary>
    public int RestartInterval { get; init; }

    /// <summary>The quantiser step of all coefficients.</summary>
    public byte Step { get; init; } = 8;

    /// <summary>The names of the components.</summary>
    public byte[] Ids { get; init; } = [1, 2, 3, 4];

    /// <summary>The Adobe segment's transform; none if null.</summary>
    public byte? AdobeTransform { get; init; }

    private int MaxAcross => sampling.Max(factors => factors.Across);

    private int MaxDown => sampling.Max(factors => factors.Down);

    /// <summary>A file with random coefficients.</summary>
    public byte[] Write(int seed)
    {
        var random = new Random(seed);
        var blocks = sampling.Select((_, component) => MakeBlocks(component, random)).ToArray();
        using var file = new MemoryStream();
        file.Write([0xFF, 0xD8]);
        if (AdobeTransform is { } transform)
            WriteSegment(file, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, transform]);
        WriteSegment(file, 0xDB, [0, .. Enumerable.Repeat(Step, BlockSize)]);
        byte[] size = [0, 0, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(size, (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(size.AsSpan(2), (ushort)width);
        WriteSegment(file, 0xC0, [8, .. size, (byte)sampling.Length,
            .. sampling.SelectMany((factors, i) => (byte[])[Ids[i], (byte)(factors.Across << 4 | factors.Down), 0])]);
        // DC: twelve codes of four bits, for the categories. AC: 176 codes of eight bits, for each run and category up to ten.
        WriteSegment(file, 0xC4, [0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Enumerable.Range(0, 12).Select(category => (byte)category)]);
        WriteSegment(file, 0xC4, [0x10, 0, 0, 0, 0, 0, 0, 0, 176, 0, 0, 0, 0, 0, 0, 0, 0, .. AcSymbols]);
        if (RestartInterval > 0)
            WriteSegment(file, 0xDD, [(byte)(RestartInterval >> 8), (byte)RestartInterval]);
        if (IsInterleaved)
            WriteScan(file, blocks, [.. Enumerable.Range(0, sampling.Length)]);
        else
            for (var component = 0; component < sampling.Length; component++)
                WriteScan(file, blocks, [component]);
        file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }

    private static byte[] AcSymbols { get; } =
        [.. Enumerable.Range(0, 16).SelectMany(run => Enumerable.Range(0, 11).Select(category => (byte)(run << 4 | category)))];

    private static void WriteSegment(MemoryStream file, byte marker, byte[] payload)
    {
        file.Write([0xFF, marker, (byte)((payload.Length + 2) >> 8), (byte)(payload.Length + 2)]);
        file.Write(payload);
    }

    private int McusAcross => (width + 8 * MaxAcross - 1) / (8 * MaxAcross);

    private int McusDown => (height + 8 * MaxDown - 1) / (8 * MaxDown);

    /// <summary>Coefficients in zigzag order, fewer and smaller at high frequencies, as in a photograph.</summary>
    private int[,][] MakeBlocks(int component, Random random)
    {
        var (across, down) = sampling.Length == 1 ? (1, 1) : sampling[component];
        var mcus = sampling.Length == 1 ? ((width + 7) / 8, (height + 7) / 8) : (McusAcross, McusDown);
        var blocks = new int[mcus.Item2 * down, mcus.Item1 * across][];
        for (var y = 0; y < blocks.GetLength(0); y++)
            for (var x = 0; x < blocks.GetLength(1); x++)
            {
                var block = blocks[y, x] = new int[BlockSize];
                block[0] = random.Next(-300, 300) / Step;
                for (var k = 1; k < BlockSize; k++)
                    if (random.Next(4 + k) < 3)
                        block[k] = random.Next(-200, 200) / (Step * (1 + k / 4));
            }

        return blocks;
    }

    private void WriteScan(MemoryStream file, int[][,][] blocks, int[] components)
    {
        WriteSegment(file, 0xDA, [(byte)components.Length, .. components.SelectMany(component => (byte[])[Ids[component], 0]), 0, 63, 0]);
        var bits = new Bits(file);
        var previous = new int[sampling.Length];
        var isInterleaved = components.Length > 1;
        var (across, down) = isInterleaved
            ? (McusAcross, McusDown)
            : (Shown(width, sampling.Length == 1 ? 1 : sampling[components[0]].Across, sampling.Length == 1 ? 1 : MaxAcross),
               Shown(height, sampling.Length == 1 ? 1 : sampling[components[0]].Down, sampling.Length == 1 ? 1 : MaxDown));
        for (var mcu = 0; mcu < across * down; mcu++)
        {
            if (RestartInterval > 0 && mcu > 0 && mcu % RestartInterval == 0)
            {
                bits.Fill();
                file.Write([0xFF, (byte)(0xD0 + (mcu / RestartInterval - 1) % 8)]);
                Array.Clear(previous);
            }

            foreach (var component in components)
            {
                var (h, v) = isInterleaved ? sampling[component] : (1, 1);
                for (var y = 0; y < v; y++)
                    for (var x = 0; x < h; x++)
                        WriteBlock(bits, blocks[component][mcu / across * v + y, mcu % across * h + x], ref previous[component]);
            }
        }

        bits.Fill();
    }

    private static int Shown(int size, int factor, int max) => (size * factor + 8 * max - 1) / (8 * max);

    private static void WriteBlock(Bits bits, int[] block, ref int previous)
    {
        var difference = block[0] - previous;
        previous = block[0];
        bits.Write(Category(difference), 4);
        WriteValue(bits, difference);
        var run = 0;
        for (var k = 1; k < BlockSize; k++)
        {
            if (block[k] == 0)
            {
                run++;
                continue;
            }

            for (; run > 15; run -= 16)
                WriteSymbol(bits, 15, 0);
            WriteSymbol(bits, run, Category(block[k]));
            WriteValue(bits, block[k]);
            run = 0;
        }

        if (run > 0)
            WriteSymbol(bits, 0, 0);
    }

    private static void WriteSymbol(Bits bits, int run, int category) => bits.Write(Array.IndexOf(AcSymbols, (byte)(run << 4 | category)), 8);

    private static void WriteValue(Bits bits, int value) => bits.Write(value < 0 ? value + (1 << Category(value)) - 1 : value, Category(value));

    private static int Category(int value)
    {
        var category = 0;
        for (value = Math.Abs(value); value > 0; value >>= 1)
            category++;
        return category;
    }

    private sealed class Bits(MemoryStream file)
    {
        private int _byte = 1;

        public void Write(int value, int count)
        {
            for (var bit = count - 1; bit >= 0; bit--)
            {
                _byte = _byte << 1 | value >> bit & 1;
                if (_byte < 0x100)
                    continue;
                file.WriteByte((byte)_byte);
                if ((byte)_byte == 0xFF)
                    file.WriteByte(0);
                _byte = 1;
            }
        }

        public void Fill()
        {
            while (_byte != 1)
                Write(1, 1);
        }
    }
}
