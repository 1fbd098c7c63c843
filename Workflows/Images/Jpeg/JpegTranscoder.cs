using Darkroom.Images.Containers;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Makes a JPEG file smaller without decoding it to pixels: its coefficients are read, divided by coarser steps and coded anew. What it does
/// not do, or finds wrong, it leaves to the general codec. It is managed code without a pointer, so that no file can make it read or write
/// outside its arrays. Not thread-safe: an instance owns the memory that it works in.
/// </summary>
internal sealed class JpegTranscoder
{
    private readonly JpegScratch _scratch = new();

    /// <summary>Appends the transcoded file to <paramref name="output"/>.</summary>
    /// <returns>Null, or why nothing was appended.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled; nothing was appended.</exception>
    public NotTranscodable? TryTranscode(ReadOnlySpan<byte> file, JpegTarget target, PooledBuffer output, CancellationToken cancellationToken)
    {
        var before = output.Length;
        try
        {
            new Source(_scratch, target, cancellationToken).Transcode(file, output);
            return null;
        }
        catch (NotTranscodableException e)
        {
            return e.Reason;
        }
        catch (OutOfMemoryException)
        {
            output.Truncate(before);
            return NotTranscodable.Size;
        }
        finally
        {
            _scratch.Trim();
        }
    }

    /// <summary>One file being transcoded.</summary>
    private sealed class Source(JpegScratch scratch, JpegTarget target, CancellationToken cancellationToken)
    {
        private readonly JpegTables _tables = scratch.Tables;
        private readonly byte[] _density = [0, 0, 1, 0, 1];
        private JpegFrame? _frame;
        private McuEncoder? _encoder;
        private int _restartInterval;
        private bool _isComplete;

        public void Transcode(ReadOnlySpan<byte> file, PooledBuffer output)
        {
            _tables.Clear();
            var segments = new JpegSegments(file);
            while (segments.Next())
                Read(segments);
            if (segments.Marker != JpegMarker.Eoi || _encoder is null)
                throw Damaged();
            if (!_isComplete)
                EncodeWhole();
            JpegFileWriter.Write(output, _encoder, scratch.Tokens, _density, target.ProfileFor(_encoder.Components));
        }

        private void Read(JpegSegments segments)
        {
            var payload = segments.Payload;
            switch (segments.Marker)
            {
                case JpegMarker.App0 when payload.Length >= 14 && payload.StartsWith("JFIF\0"u8):
                    payload.Slice(7, _density.Length).CopyTo(_density);
                    break;
                case JpegMarker.App14 when payload.Length >= 12 && payload.StartsWith("Adobe"u8) && payload[11] != 1:
                    throw new NotTranscodableException(NotTranscodable.Colour);
                case JpegMarker.Dqt when _encoder is null:
                    _tables.ReadQuantisers(payload);
                    break;
                case JpegMarker.Dht:
                    _tables.ReadHuffmanTables(payload);
                    break;
                case JpegMarker.Dri when payload.Length == 2:
                    _restartInterval = payload[0] << 8 | payload[1];
                    break;
                case JpegMarker.Sos when _frame is not null && !_isComplete:
                    ReadScan(JpegScan.Read(payload, _frame, _tables), segments.Entropy);
                    break;
                case >= 0xE0 or JpegMarker.Eoi:
                    break;
                case >= 0xC0 and <= 0xCF and not 0xC8 and not 0xCC when _frame is null:
                    _frame = JpegFrame.Read(segments.Marker, payload);
                    target.Orientation.ThrowIfLossy(_frame);
                    break;
                default:
                    throw Damaged();
            }
        }

        private void ReadScan(JpegScan scan, ReadOnlySpan<byte> entropy)
        {
            var frame = _frame!;
            scratch.Data.Read(entropy);
            var isOnly = !frame.IsProgressive && scan.Components.Length == frame.Components.Length && target.Orientation.IsUpright;
            if (_encoder is null)
            {
                _encoder = new McuEncoder(frame, _tables, target, scratch);
                scratch.Tokens.Clear(target.Options.MemoryBytes);
                var rows = isOnly ? _encoder.RowsPerMcu : frame.McusDown;
                if (frame.CoefficientBytes(rows) > target.Options.MemoryBytes)
                    throw new NotTranscodableException(NotTranscodable.Size);
                for (var i = 0; i < frame.Components.Length; i++)
                {
                    var component = frame.Components[i];
                    component.Plane = scratch.Planes[i];
                    component.Plane.Resize(frame.McusAcross * component.Across, rows * component.Down);
                    if (!isOnly)
                        component.Plane.Clear();
                }
            }

            if (isOnly)
                EncodeOnTheWay(scan);
            else
                ReadWhole(new ScanDecoder(scan, frame, scratch.Data, _restartInterval));
        }

        private void ReadWhole(ScanDecoder decoder)
        {
            for (var row = 0; row < decoder.Rows; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                decoder.ReadRow(row);
            }

            decoder.End();
        }

        private void EncodeOnTheWay(JpegScan scan)
        {
            var writer = scratch.Tokens.Open();
            var decoder = new ScanDecoder(scan, _frame!, scratch.Data, _restartInterval);
            for (var row = 0; row < _encoder!.McusDown; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var i = 0; i < _encoder.RowsPerMcu && row * _encoder.RowsPerMcu + i < decoder.Rows; i++)
                    decoder.ReadRow(i);
                _encoder.EncodeRow(ref writer, row, isWindow: true);
            }

            decoder.End();
            scratch.Tokens.Close(writer);
            _isComplete = true;
        }

        private void EncodeWhole()
        {
            if (_frame!.Components.Any(component => component.LowestBits[0] == JpegComponent.Unknown))
                throw Damaged();
            var writer = scratch.Tokens.Open();
            for (var row = 0; row < _encoder!.McusDown; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _encoder.EncodeRow(ref writer, row, isWindow: false);
            }

            scratch.Tokens.Close(writer);
        }

        private static NotTranscodableException Damaged() => new(NotTranscodable.Damaged);
    }
}
