using System.Buffers.Binary;

namespace Darkroom.Images.Jpeg;

/// <summary>The tables that a file has defined so far (ITU T.81, B.2.4). The memory is reused.</summary>
internal sealed class JpegTables
{
    private const int Slots = 4;

    private readonly ushort[][] _quantisers = [.. Enumerable.Range(0, Slots).Select(_ => new ushort[CoefficientPlane.BlockSize])];
    private readonly bool[] _hasQuantiser = new bool[Slots];
    private readonly HuffmanDecoder[] _dc = [.. Enumerable.Range(0, Slots).Select(_ => new HuffmanDecoder())];
    private readonly HuffmanDecoder[] _ac = [.. Enumerable.Range(0, Slots).Select(_ => new HuffmanDecoder())];

    public void Clear()
    {
        Array.Clear(_hasQuantiser);
        foreach (var table in _dc.Concat(_ac))
            table.Undefine();
    }

    /// <summary>The steps of a quantisation table, in zigzag order.</summary>
    /// <exception cref="NotTranscodableException">It is missing.</exception>
    public ReadOnlySpan<ushort> Quantiser(int slot) => _hasQuantiser[slot] ? _quantisers[slot] : throw Damaged();

    /// <exception cref="NotTranscodableException">It is missing.</exception>
    public HuffmanDecoder Dc(int slot) => Defined(_dc, slot);

    /// <exception cref="NotTranscodableException">It is missing.</exception>
    public HuffmanDecoder Ac(int slot) => Defined(_ac, slot);

    /// <exception cref="NotTranscodableException">The segment is invalid.</exception>
    public void ReadQuantisers(ReadOnlySpan<byte> payload)
    {
        while (payload.Length > 0)
        {
            var (bytes, slot) = ((payload[0] >> 4) + 1, payload[0] & 15);
            if (bytes > 2 || slot >= Slots || payload.Length < 1 + CoefficientPlane.BlockSize * bytes)
                throw Damaged();
            for (var k = 0; k < CoefficientPlane.BlockSize; k++)
            {
                var step = bytes == 1 ? payload[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(payload[(1 + k * 2)..]);
                if (step is 0 or > byte.MaxValue)
                    throw new NotTranscodableException(step == 0 ? NotTranscodable.Damaged : NotTranscodable.Quantisation);
                _quantisers[slot][k] = step;
            }

            _hasQuantiser[slot] = true;
            payload = payload[(1 + CoefficientPlane.BlockSize * bytes)..];
        }
    }

    /// <exception cref="NotTranscodableException">The segment is invalid.</exception>
    public void ReadHuffmanTables(ReadOnlySpan<byte> payload)
    {
        while (payload.Length > 0)
        {
            if (payload.Length < 17)
                throw Damaged();
            var (kind, slot) = (payload[0] >> 4, payload[0] & 15);
            var counts = payload[1..17];
            var values = 0;
            foreach (var count in counts)
                values += count;
            if (kind > 1 || slot >= Slots || values > 256 || payload.Length < 17 + values)
                throw Damaged();
            (kind == 0 ? _dc : _ac)[slot].Define(counts, payload.Slice(17, values), isDc: kind == 0);
            payload = payload[(17 + values)..];
        }
    }

    private static HuffmanDecoder Defined(HuffmanDecoder[] tables, int slot) =>
        slot < Slots && tables[slot].IsDefined ? tables[slot] : throw Damaged();

    private static NotTranscodableException Damaged() => new(NotTranscodable.Damaged);
}
