namespace Darkroom.Images.Jpeg;

/// <summary>
/// Decodes a scan into the planes of its components, row by row: of MCUs, or if the scan holds a single component, of that component's blocks
/// (ITU T.81, A.2).
/// </summary>
internal ref struct ScanDecoder
{
    private readonly JpegScan _scan;
    private readonly EntropyCodedData _data;
    private readonly bool _isProgressive;
    private readonly int _restartInterval;
    private readonly int _across;
    private BitReader _reader;
    private int _interval;
    private int _untilRestart;
    private int _endOfBand;

    public ScanDecoder(JpegScan scan, JpegFrame frame, EntropyCodedData data, int restartInterval)
    {
        (_scan, _data, _restartInterval, _untilRestart) = (scan, data, restartInterval, restartInterval);
        _isProgressive = frame.IsProgressive;
        _reader = data.Open(0);
        (_across, Rows) = scan.Components is [var component] ? (component.BlocksAcross, component.BlocksDown) : (frame.McusAcross, frame.McusDown);
    }

    /// <summary>How many rows it has.</summary>
    public int Rows { get; }

    /// <summary>Decodes the next row, to a row of the planes.</summary>
    /// <exception cref="NotTranscodableException">The data is damaged.</exception>
    public void ReadRow(int to)
    {
        if (_scan.IsDc)
            ReadMcuRow(to);
        else
            ReadAcRow(to);
    }

    /// <summary>To be called after the last row.</summary>
    /// <exception cref="NotTranscodableException">There is more data than the image needs.</exception>
    public readonly void End()
    {
        if (_interval != _data.Intervals - 1 || _endOfBand > 0 || !_data.IsAtEnd(_reader, _interval))
            throw new NotTranscodableException(NotTranscodable.Damaged);
    }

    private void ReadMcuRow(int to)
    {
        var isInterleaved = _scan.Components.Length > 1;
        for (var mcu = 0; mcu < _across; mcu++)
        {
            BeginMcu();
            foreach (var component in _scan.Components)
            {
                var (across, down) = isInterleaved ? (component.Across, component.Down) : (1, 1);
                for (var y = to * down; y < (to + 1) * down; y++)
                    for (var x = mcu * across; x < (mcu + 1) * across; x++)
                        ReadBlock(component, component.Plane.Block(x, y));
            }
        }

        ThrowIfBeyond();
    }

    private void ReadBlock(JpegComponent component, Span<short> block)
    {
        if (!_isProgressive)
            BaselineBlock.Read(ref _reader, component, block);
        else if (_scan.IsRefinement)
            ProgressiveBlock.RefineDc(ref _reader, _scan.Bit, block);
        else
            ProgressiveBlock.ReadDc(ref _reader, component, _scan.Bit, block);
    }

    private void ReadAcRow(int to)
    {
        var component = _scan.Components[0];
        for (var x = 0; x < _across; x++)
        {
            BeginMcu();
            if (_scan.IsRefinement)
                ProgressiveBlock.RefineAc(ref _reader, component.Ac, _scan, component.Plane.Block(x, to), ref _endOfBand);
            else if (_endOfBand == 0)
                ProgressiveBlock.ReadAc(ref _reader, component.Ac, _scan, component.Plane.Block(x, to), ref _endOfBand);
            else
                x += SkipEmpty(_across - x) - 1;
        }

        ThrowIfBeyond();
    }

    /// <summary>Passes by blocks in which the band is empty, at most so many.</summary>
    private int SkipEmpty(int most)
    {
        var skipped = Math.Min(_endOfBand, most);
        if (_restartInterval > 0)
        {
            // The first one has been counted.
            skipped = Math.Min(skipped, _untilRestart + 1);
            _untilRestart -= skipped - 1;
        }

        _endOfBand -= skipped;
        return skipped;
    }

    private void BeginMcu()
    {
        ThrowIfBeyond();
        if (_restartInterval > 0 && _untilRestart-- == 0)
            Restart();
    }

    private void Restart()
    {
        if (_endOfBand > 0 || !_data.IsAtEnd(_reader, _interval) || ++_interval == _data.Intervals)
            throw new NotTranscodableException(NotTranscodable.Damaged);
        _reader = _data.Open(_interval);
        _untilRestart = _restartInterval - 1;
        foreach (var component in _scan.Components)
            component.Prediction = 0;
    }

    private readonly void ThrowIfBeyond()
    {
        if (_data.IsBeyond(_reader, _interval))
            throw new NotTranscodableException(NotTranscodable.Damaged);
    }
}
