using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Quantised coefficients of one component, block by block, each in zigzag order: of the whole image, or of the few rows of blocks that are
/// being worked on. The memory is reused.
/// </summary>
internal sealed class CoefficientPlane
{
    public const int BlockSize = 64;

    private short[] _coefficients = [];
    private int _stride;
    private int _length;

    /// <summary>Makes room for blocks, whose content is undefined.</summary>
    public void Resize(int across, int down)
    {
        _stride = across;
        _length = checked(across * down * BlockSize);
        ScratchMemory.Ensure(ref _coefficients, _length);
    }

    /// <summary>Sets all coefficients to zero.</summary>
    public void Clear() => Array.Clear(_coefficients, 0, _length);

    public void Trim() => ScratchMemory.Trim(ref _coefficients);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<short> Block(int column, int row) => _coefficients.AsSpan((row * _stride + column) * BlockSize, BlockSize);
}
