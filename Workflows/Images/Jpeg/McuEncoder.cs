namespace Darkroom.Images.Jpeg;

/// <summary>Turns the coefficients of the source, MCU by MCU, into the tokens of the output.</summary>
internal sealed class McuEncoder
{
    /// <summary>The most blocks that an MCU of ours has: four of luma and two of chroma.</summary>
    private const int MaxBlocks = 6;

    private readonly TokenStore _tokens;
    private readonly JpegOrientation _orientation;
    private readonly Channel[] _channels;
    private readonly int _mcusAcross;

    /// <param name="frame">The source.</param>
    /// <param name="tables">Its tables.</param>
    /// <param name="target">What to make of it.</param>
    /// <param name="scratch">Memory to work in.</param>
    public McuEncoder(JpegFrame frame, JpegTables tables, JpegTarget target, JpegScratch scratch)
    {
        _tokens = scratch.Tokens;
        _orientation = target.Orientation;
        var luma = frame.Luma;
        var (across, down) = _orientation.Transposes ? (luma.Down, luma.Across) : (luma.Across, luma.Down);
        // What libvips does too: at low qualities nobody sees the chroma that is lost.
        var (halvesAcross, halvesDown) = (target.HalvesChroma && across == 1, target.HalvesChroma && down == 1);
        if (frame.IsGrey)
            (halvesAcross, halvesDown) = (false, false);
        (Width, Height) = _orientation.Transposes ? (frame.Height, frame.Width) : (frame.Width, frame.Height);
        (Across, Down) = (halvesAcross ? 2 : across, halvesDown ? 2 : down);
        RowsPerMcu = halvesDown ? 2 : 1;
        _mcusAcross = (Width + 8 * Across - 1) / (8 * Across);
        McusDown = (Height + 8 * Down - 1) / (8 * Down);
        _channels = new Channel[frame.Components.Length];
        for (var i = 0; i < _channels.Length; i++)
            _channels[i] = MakeChannel(frame.Components[i], i > 0, tables, target, scratch);

        Channel MakeChannel(JpegComponent component, bool isChroma, JpegTables tables, JpegTarget target, JpegScratch scratch)
        {
            var from = new ushort[CoefficientPlane.BlockSize];
            _orientation.Read(tables.Quantiser(component.Quantiser), from);
            var to = QuantisationTables.For(target.Quality, isChroma);
            for (var k = 0; k < to.Length; k++)
                to[k] = Math.Max(from[k], to[k]);
            var channel = new Channel(component, isChroma, _orientation.Transposes)
            {
                Across = isChroma ? 1 : Across,
                Down = isChroma ? 1 : Down,
                Steps = to,
            };
            if (isChroma && (halvesAcross || halvesDown))
            {
                channel.Reducer = new ChromaReducer();
                channel.Reducer.Prepare(halvesAcross, halvesDown, from, to, target.Options.DeadZone);
            }
            else
                channel.Requantiser.Prepare(from, to, target.Options.DeadZone);
            return channel;
        }
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Sampling factors of luma in the output; those of chroma are 1.</summary>
    public int Across { get; }

    public int Down { get; }

    /// <summary>Rows of MCUs in the source that make one in the output.</summary>
    public int RowsPerMcu { get; }

    public int McusDown { get; }

    public int Components => _channels.Length;

    /// <summary>Quantiser steps of a component in the output.</summary>
    public ReadOnlySpan<ushort> Steps(int component) => _channels[component].Steps;

    /// <summary>Appends the tokens of a row of MCUs.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="row">Which one.</param>
    /// <param name="isWindow">Whether the planes hold only this row.</param>
    public void EncodeRow(ref TokenWriter writer, int row, bool isWindow)
    {
        for (var mcu = 0; mcu < _mcusAcross; mcu++)
        {
            _tokens.MakeRoom(ref writer, MaxBlocks);
            foreach (var channel in _channels)
            {
                if (channel.Reducer is { } reducer)
                {
                    Reduce(ref writer, channel, reducer, mcu, row, isWindow);
                    continue;
                }

                for (var y = row * channel.Down; y < (row + 1) * channel.Down; y++)
                    for (var x = mcu * channel.Across; x < (mcu + 1) * channel.Across; x++)
                        Requantise(ref writer, channel, x, y, isWindow ? row * channel.Down : 0);
            }
        }
    }

    private void Requantise(ref TokenWriter writer, Channel channel, int x, int y, int firstRow)
    {
        if (x >= channel.BlocksAcross || y >= channel.BlocksDown)
        {
            // It only fills the MCU: the cheapest will do.
            writer.Append(channel.IsChroma, 0, [], 0, channel.Requantiser);
            return;
        }

        var block = Block(channel, x, y - firstRow, channel.Turned[0]);
        var dc = channel.Requantiser.Dc(block[0]);
        writer.Append(channel.IsChroma, dc - channel.Dc, block, channel.Requantiser.Survivors(block), channel.Requantiser);
        channel.Dc = dc;
    }

    private void Reduce(ref TokenWriter writer, Channel channel, ChromaReducer reducer, int x, int y, bool isWindow)
    {
        // Beyond the edge of the image, its last block goes on.
        var left = reducer.HalvesAcross ? 2 * x : x;
        var right = Math.Min(left + 1, channel.BlocksAcross - 1);
        var top = reducer.HalvesDown ? 2 * y : y;
        var bottom = Math.Min(top + 1, channel.BlocksDown - 1);
        var firstRow = isWindow ? top : 0;
        Span<short> result = stackalloc short[CoefficientPlane.BlockSize];
        var (survivors, dc) = reducer.Reduce(
            new ChromaQuarters
            {
                TopLeft = Block(channel, left, top - firstRow, channel.Turned[0]),
                TopRight = Block(channel, right, top - firstRow, channel.Turned[1]),
                BottomLeft = Block(channel, left, bottom - firstRow, channel.Turned[2]),
                BottomRight = Block(channel, right, bottom - firstRow, channel.Turned[3]),
            },
            result);
        writer.Append(channel.IsChroma, dc - channel.Dc, result, survivors, Requantiser.Identity);
        channel.Dc = dc;
    }

    private ReadOnlySpan<short> Block(Channel channel, int x, int y, Span<short> turned)
    {
        if (_orientation.IsUpright)
            return channel.Component.Plane.Block(x, y);
        _orientation.Read(channel.Component, x, y, turned);
        return turned;
    }

    /// <summary>A component on its way to the output.</summary>
    private sealed class Channel(JpegComponent component, bool isChroma, bool transposes)
    {
        public JpegComponent Component => component;

        public bool IsChroma => isChroma;

        /// <summary>Blocks of the source as they are displayed.</summary>
        public int BlocksAcross { get; } = transposes ? component.BlocksDown : component.BlocksAcross;

        public int BlocksDown { get; } = transposes ? component.BlocksAcross : component.BlocksDown;

        public required int Across { get; init; }

        public required int Down { get; init; }

        public required ushort[] Steps { get; init; }

        public Requantiser Requantiser { get; } = new();

        public ChromaReducer? Reducer { get; set; }

        /// <summary>The DC coefficient of the block before.</summary>
        public int Dc { get; set; }

        /// <summary>Where blocks are turned.</summary>
        public short[][] Turned { get; } = [.. Enumerable.Range(0, 4).Select(_ => new short[CoefficientPlane.BlockSize])];
    }
}
