namespace Darkroom.Images.Jpeg;

/// <summary>
/// The entropy-coded data of one scan, without byte stuffing and restart markers (ITU T.81, B.1.1.5). The memory is reused.
/// </summary>
internal sealed class EntropyCodedData
{
    private readonly List<int> _starts = [];
    private byte[] _bytes = [];

    /// <summary>Restart intervals: parts that are decoded on their own.</summary>
    public int Intervals => _starts.Count - 1;

    /// <exception cref="NotTranscodableException">There are markers that do not belong there.</exception>
    public void Read(ReadOnlySpan<byte> stuffed)
    {
        ScratchMemory.Ensure(ref _bytes, stuffed.Length + BitReader.Padding);
        _starts.Clear();
        _starts.Add(0);
        var length = 0;
        while (true)
        {
            var found = stuffed.IndexOf((byte)0xFF);
            // The byte itself is kept if it is followed by a zero; a marker is not.
            var isData = found >= 0 && found + 1 < stuffed.Length && stuffed[found + 1] == 0;
            var kept = found < 0 ? stuffed : stuffed[..(isData ? found + 1 : found)];
            kept.CopyTo(_bytes.AsSpan(length));
            length += kept.Length;
            if (found < 0)
                break;
            if (!isData)
            {
                if (found + 1 >= stuffed.Length || stuffed[found + 1] != 0xD0 + (_starts.Count - 1) % 8)
                    throw new NotTranscodableException(NotTranscodable.Damaged);
                _starts.Add(length);
            }

            stuffed = stuffed[(found + 2)..];
        }

        _starts.Add(length);
        _bytes.AsSpan(length, BitReader.Padding).Clear();
    }

    public void Trim() => ScratchMemory.Trim(ref _bytes);

    /// <summary>Reads an interval from its start.</summary>
    public BitReader Open(int interval) => new(_bytes, _starts[interval]);

    /// <summary>Whether a reader went beyond the end of an interval.</summary>
    public bool IsBeyond(in BitReader reader, int interval) => reader.Position > _starts[interval + 1] * 8L;

    /// <summary>Whether a reader used all of an interval, except the bits that fill its last byte.</summary>
    public bool IsAtEnd(in BitReader reader, int interval) => _starts[interval + 1] * 8L - reader.Position is >= 0 and < 8;
}
