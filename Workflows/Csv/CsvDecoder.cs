using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Darkroom.Csv;

/// <summary>
/// Strict, lossless decoding: nothing is replaced, so encoding the result again gives the same bytes. Unlike
/// <see cref="System.Text.Decoder"/> it returns all characters before an invalid byte, so that its line can be reported.
/// </summary>
internal static class CsvDecoder
{
    public static OperationStatus Decode(
        CsvEncoding encoding, ReadOnlySpan<byte> bytes, Span<char> characters, bool isEnd, out int read, out int written) => encoding switch
        {
            CsvEncoding.Utf8 => Utf8.ToUtf16(bytes, characters, out read, out written, replaceInvalidSequences: false, isFinalBlock: isEnd),
            _ => DecodeUtf16(encoding == CsvEncoding.Utf16LittleEndian, bytes, characters, isEnd, out read, out written),
        };

    private static OperationStatus DecodeUtf16(
        bool isLittleEndian, ReadOnlySpan<byte> bytes, Span<char> characters, bool isEnd, out int read, out int written)
    {
        var units = MemoryMarshal.Cast<byte, ushort>(bytes);
        if (units.Length > characters.Length)
            units = units[..characters.Length];
        var target = MemoryMarshal.Cast<char, ushort>(characters)[..units.Length];
        if (isLittleEndian == BitConverter.IsLittleEndian)
            units.CopyTo(target);
        else
            BinaryPrimitives.ReverseEndianness(units, target);

        written = FirstLoneSurrogate(characters[..units.Length]);
        read = 2 * written;
        if (read == bytes.Length)
            return OperationStatus.Done;
        if (written == units.Length && bytes.Length - read >= 2)
            return OperationStatus.DestinationTooSmall;

        // A character or surrogate pair may be split across reads.
        var cutOff = written == units.Length || (written == units.Length - 1 && char.IsHighSurrogate(characters[written]));
        return cutOff && !isEnd ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
    }

    private static int FirstLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (var at = 0; ; at += 2)
        {
            var next = text[at..].IndexOfAnyInRange('\uD800', '\uDFFF');
            if (next < 0)
                return text.Length;
            at += next;
            if (at + 1 >= text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
                return at;
        }
    }
}
