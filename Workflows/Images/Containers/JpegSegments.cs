using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Walks the marker segments, as tolerantly as common decoders: bytes between segments are skipped.</summary>
internal ref struct JpegSegments(ReadOnlySpan<byte> file)
{
    private readonly ReadOnlySpan<byte> _file = file;
    private int _at = 2;

    public byte Marker { get; private set; }

    public ReadOnlySpan<byte> Payload { get; private set; }

    /// <summary>After a start of scan: the entropy-coded data, including byte stuffing and restart markers.</summary>
    public ReadOnlySpan<byte> Entropy { get; private set; }

    public bool Next()
    {
        if (Marker == JpegMarker.Eoi)
            return false;
        while (TryFindMarker(out var marker))
        {
            if (marker is 0x00 or 0x01 or >= 0xD0 and <= 0xD8)
                continue;
            Marker = marker;
            Payload = Entropy = [];
            if (marker == JpegMarker.Eoi)
                return true;
            // A segment that extends past the end of the file is truncated: the decoder decides whether pixels are missing.
            if (_file.Length - _at < 2)
                return false;
            int length = BinaryPrimitives.ReadUInt16BigEndian(_file[_at..]);
            if (length < 2)
                throw ImageContainers.Corrupt();
            if (_file.Length - _at < length)
                return false;
            Payload = _file.Slice(_at + 2, length - 2);
            _at += length;
            if (marker == JpegMarker.Sos)
                Entropy = TakeEntropy();
            return true;
        }

        return false;
    }

    /// <summary>Appends a segment.</summary>
    public static void Write(PooledBuffer output, byte marker, scoped ReadOnlySpan<byte> payload)
    {
        var length = payload.Length + 2;
        output.Append([0xFF, marker, (byte)(length >> 8), (byte)length]);
        output.Append(payload);
    }

    private bool TryFindMarker(out byte marker)
    {
        marker = 0;
        var found = _file[_at..].IndexOf((byte)0xFF);
        if (found < 0)
            return false;
        _at += found;
        while (_at < _file.Length && _file[_at] == 0xFF)
            _at++;
        if (_at == _file.Length)
            return false;
        marker = _file[_at++];
        return true;
    }

    private ReadOnlySpan<byte> TakeEntropy()
    {
        var start = _at;
        while (true)
        {
            var found = _file[_at..].IndexOf((byte)0xFF);
            if (found < 0 || _at + found + 1 >= _file.Length)
            {
                _at = _file.Length;
                return _file[start..];
            }

            _at += found;
            if (_file[_at + 1] is not (0x00 or 0xFF or >= 0xD0 and <= 0xD7))
                return _file[start.._at];
            _at += _file[_at + 1] == 0xFF ? 1 : 2;
        }
    }
}

/// <summary>The marker codes that we use (ITU T.81, table B.1).</summary>
internal static class JpegMarker
{
    public const byte Sof0 = 0xC0;
    public const byte Sof1 = 0xC1;
    public const byte Sof2 = 0xC2;
    public const byte Dht = 0xC4;
    public const byte Soi = 0xD8;
    public const byte Eoi = 0xD9;
    public const byte Sos = 0xDA;
    public const byte Dqt = 0xDB;
    public const byte Dri = 0xDD;
    public const byte App0 = 0xE0;
    public const byte App1 = 0xE1;
    public const byte App2 = 0xE2;
    public const byte App14 = 0xEE;
}
