using System.Buffers.Binary;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// The CRCs that S3 supports, all of them reflected, with inverted input and output. Table-driven, eight bytes per step
/// (slicing-by-8); the same code handles 32 and 64 bits.
/// </summary>
internal sealed class ReflectedCrc
{
    private static readonly ulong[] Crc32Tables = Tables(0xEDB88320);
    private static readonly ulong[] Crc32CTables = Tables(0x82F63B78);
    private static readonly ulong[] Crc64NvmeTables = Tables(0x9A6C9329AC4BC9B5);

    private readonly ulong[] _tables;
    private readonly ulong _finalXor;
    private readonly int _width;
    private ulong _value;

    private ReflectedCrc(ulong[] tables, int width)
    {
        _tables = tables;
        _width = width;
        _value = _finalXor = width == 4 ? uint.MaxValue : ulong.MaxValue;
    }

    public static ReflectedCrc Crc32() => new(Crc32Tables, 4);
    public static ReflectedCrc Crc32C() => new(Crc32CTables, 4);
    public static ReflectedCrc Crc64Nvme() => new(Crc64NvmeTables, 8);

    public void Append(ReadOnlySpan<byte> content)
    {
        var (crc, t) = (_value, _tables);
        for (; content.Length >= 8; content = content[8..])
        {
            crc ^= BinaryPrimitives.ReadUInt64LittleEndian(content);
            crc = t[0x700 + (byte)crc] ^ t[0x600 + (byte)(crc >> 8)] ^ t[0x500 + (byte)(crc >> 16)] ^ t[0x400 + (byte)(crc >> 24)]
                ^ t[0x300 + (byte)(crc >> 32)] ^ t[0x200 + (byte)(crc >> 40)] ^ t[0x100 + (byte)(crc >> 48)] ^ t[crc >> 56];
        }

        foreach (var b in content)
            crc = t[(byte)(crc ^ b)] ^ (crc >> 8);
        _value = crc;
    }

    /// <summary>The CRC in big-endian byte order, as S3 represents it.</summary>
    public byte[] Value()
    {
        var buffer = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(buffer, _value ^ _finalXor);
        return buffer[^_width..];
    }

    private static ulong[] Tables(ulong polynomial)
    {
        var tables = new ulong[8 * 256];
        for (var i = 0; i < 256; i++)
        {
            var crc = (ulong)i;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ polynomial;
            tables[i] = crc;
        }

        for (var i = 256; i < tables.Length; i++)
            tables[i] = (tables[i - 256] >> 8) ^ tables[(byte)tables[i - 256]];
        return tables;
    }
}
