using System.Buffers.Binary;
using Darkroom.Images.Containers;

namespace Darkroom.Images.Jpeg;

/// <summary>Writes a baseline JPEG file around tokens (ITU T.81, annex B; JFIF 1.02).</summary>
internal static class JpegFileWriter
{
    private const int MaxProfileChunk = 65_519;

    /// <param name="output">What it is appended to.</param>
    /// <param name="encoder">What made the tokens.</param>
    /// <param name="tokens">The tokens.</param>
    /// <param name="density">Unit and density in both directions, as in a JFIF segment.</param>
    /// <param name="profile">The colour profile, if any.</param>
    public static void Write(PooledBuffer output, McuEncoder encoder, TokenStore tokens, ReadOnlySpan<byte> density, byte[]? profile)
    {
        output.Append([0xFF, JpegMarker.Soi]);
        JpegSegments.Write(output, JpegMarker.App0, [.. "JFIF\0"u8, 1, 2, .. density, 0, 0]);
        WriteProfile(output, profile);
        WriteFrame(output, encoder);
        var codes = WriteCodes(output, tokens, encoder.Components == 1);
        WriteScan(output, encoder.Components);

        // Byte stuffing can double it, if each byte is all ones.
        var worst = checked((int)((tokens.Bits(codes) / 8 + 9) * 2));
        var bits = new BitWriter(output.GetSpan(worst));
        tokens.WriteTo(Words(codes), ref bits);
        bits.Finish();
        output.Advance(bits.Length);
        output.Append([0xFF, JpegMarker.Eoi]);
    }

    private static void WriteFrame(PooledBuffer output, McuEncoder encoder)
    {
        Span<byte> slots = stackalloc byte[encoder.Components];
        byte used = 0;
        for (var i = 0; i < encoder.Components; i++)
        {
            // Both components of chroma have the same table, unless the source's differ.
            if (i > 0 && encoder.Steps(i).SequenceEqual(encoder.Steps(i - 1)))
            {
                slots[i] = slots[i - 1];
                continue;
            }

            slots[i] = used++;
            var table = new byte[1 + CoefficientPlane.BlockSize];
            table[0] = slots[i];
            for (var k = 0; k < CoefficientPlane.BlockSize; k++)
                table[1 + k] = (byte)encoder.Steps(i)[k];
            JpegSegments.Write(output, JpegMarker.Dqt, table);
        }

        var frame = new byte[6 + 3 * encoder.Components];
        frame[0] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)encoder.Height);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(3), (ushort)encoder.Width);
        frame[5] = (byte)encoder.Components;
        for (var i = 0; i < encoder.Components; i++)
        {
            frame[6 + 3 * i] = (byte)(i + 1);
            frame[7 + 3 * i] = (byte)(i == 0 ? encoder.Across << 4 | encoder.Down : 0x11);
            frame[8 + 3 * i] = slots[i];
        }

        JpegSegments.Write(output, JpegMarker.Sof0, frame);
    }

    private static HuffmanCode?[] WriteCodes(PooledBuffer output, TokenStore tokens, bool isGrey)
    {
        var codes = new HuffmanCode?[TokenStore.Tables];
        for (var table = 0; table < TokenStore.Tables; table++)
        {
            var isChroma = table % 2 == 1;
            if (isGrey && isChroma)
                continue;
            var code = codes[table] = new HuffmanCode(tokens.Counts.AsSpan(table * TokenStore.Symbols, TokenStore.Symbols));
            var isAc = table >= 2;
            JpegSegments.Write(output, JpegMarker.Dht, [(byte)((isAc ? 0x10 : 0) | (isChroma ? 1 : 0)), .. code.Counts, .. code.Values]);
        }

        return codes;
    }

    private static uint[] Words(ReadOnlySpan<HuffmanCode?> codes)
    {
        var words = new uint[TokenStore.Tables * TokenStore.Symbols];
        for (var i = 0; i < words.Length; i++)
            if (codes[i / TokenStore.Symbols] is { } code)
                words[i] = (uint)(code.Code(i % TokenStore.Symbols) << 8 | code.Length(i % TokenStore.Symbols));
        return words;
    }

    private static void WriteScan(PooledBuffer output, int components)
    {
        var scan = new byte[4 + 2 * components];
        scan[0] = (byte)components;
        for (var i = 0; i < components; i++)
            (scan[1 + 2 * i], scan[2 + 2 * i]) = ((byte)(i + 1), (byte)(i == 0 ? 0 : 0x11));
        scan[^2] = 63;
        JpegSegments.Write(output, JpegMarker.Sos, scan);
    }

    /// <summary>In chunks, as the ICC specification's annex B.4 has it.</summary>
    private static void WriteProfile(PooledBuffer output, byte[]? profile)
    {
        if (profile is null)
            return;
        var chunks = profile.Chunk(MaxProfileChunk).ToArray();
        for (var i = 0; i < chunks.Length; i++)
            JpegSegments.Write(output, JpegMarker.App2, [.. "ICC_PROFILE\0"u8, (byte)(i + 1), (byte)chunks.Length, .. chunks[i]]);
    }
}
