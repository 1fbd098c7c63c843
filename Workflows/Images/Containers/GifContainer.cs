using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads GIF by its blocks (GIF89a).</summary>
internal static class GifContainer
{
    private const byte Extension = 0x21;
    private const byte Image = 0x2C;
    private const byte Trailer = 0x3B;
    private const byte GraphicControl = 0xF9;
    private const byte Application = 0xFF;

    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        var frames = 0;
        var blocks = new Blocks(file);
        while (blocks.Next())
            if (blocks.Kind == Image)
                frames++;
        if (frames == 0)
            throw ImageContainers.Corrupt();
        return new ImageHeader(
            ImageFormat.Gif,
            Width: BinaryPrimitives.ReadUInt16LittleEndian(file[6..]),
            Height: BinaryPrimitives.ReadUInt16LittleEndian(file[8..]),
            Frames: frames);
    }

    /// <summary>Keeps the frames, their control blocks and the loop count.</summary>
    public static void Rewrite(ReadOnlySpan<byte> file, PooledBuffer output)
    {
        var blocks = new Blocks(file);
        output.Append(blocks.Head);
        while (blocks.Next())
        {
            var whole = blocks.Whole;
            if (blocks.Kind is Image or Trailer || blocks.Kind == Extension && whole[1] == GraphicControl)
                output.Append(whole);
            else if (blocks.Kind == Extension && whole[1] == Application && IsLoop(whole))
                output.Append([.. whole[..14], 3, 1, whole[16], whole[17], 0]);
        }
    }

    private static bool IsLoop(ReadOnlySpan<byte> block) =>
        block.Length >= 19 && block[14] >= 3 && block[15] == 1 &&
        (block[2..].StartsWith("\u000BNETSCAPE2.0"u8) || block[2..].StartsWith("\u000BANIMEXTS1.0"u8));

    private ref struct Blocks
    {
        private readonly ReadOnlySpan<byte> _file;
        private int _at;

        public Blocks(ReadOnlySpan<byte> file)
        {
            _file = file;
            _at = 13 + TableBytes(file[10]);
            Head = file[.._at];
        }

        /// <summary>Header, screen descriptor and global colour table.</summary>
        public ReadOnlySpan<byte> Head { get; }

        public byte Kind { get; private set; }

        public ReadOnlySpan<byte> Whole { get; private set; }

        /// <summary>Stops after the trailer, at the end of the file, or at an unknown block: decoders show what came before.</summary>
        public bool Next()
        {
            if (Kind == Trailer || _at >= _file.Length)
                return false;
            var start = _at;
            Kind = _file[_at++];
            switch (Kind)
            {
                case Trailer:
                    break;
                case Extension:
                    _at++;
                    SkipSubBlocks();
                    break;
                case Image:
                    _at += 9 + TableBytes(_file[_at + 8]) + 1;
                    SkipSubBlocks();
                    break;
                default:
                    _at = _file.Length;
                    return false;
            }

            Whole = _file[start.._at];
            return true;
        }

        /// <summary>Stops at the end of the file; the decoder decides whether the image is incomplete.</summary>
        private void SkipSubBlocks()
        {
            while (_at < _file.Length && _file[_at] != 0)
                _at += 1 + _file[_at];
            _at = Math.Min(_at + 1, _file.Length);
        }

        private static int TableBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
    }
}
