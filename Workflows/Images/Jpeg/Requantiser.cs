using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Turns coefficients that were quantised with one table into those of a coarser one, in zigzag order. Most become zero: which ones do not is
/// found for a whole block at once.
/// </summary>
internal sealed class Requantiser
{
    private const int FractionBits = 24;

    // The largest magnitude that becomes zero.
    private readonly short[] _thresholds = new short[CoefficientPlane.BlockSize];

    // The ratio of the two steps, and what is added before the fraction is cut off.
    private readonly uint[] _ratios = new uint[CoefficientPlane.BlockSize];
    private uint _rounding;

    /// <summary>Changes nothing; every coefficient that is not zero survives.</summary>
    public static Requantiser Identity { get; } = MakeIdentity();

    /// <summary>Prepares for a pair of tables.</summary>
    /// <param name="from">Steps of the source, in zigzag order.</param>
    /// <param name="to">Steps of the output, none smaller than the source's.</param>
    /// <param name="deadZone">See <see cref="JpegOptions.DeadZone"/>.</param>
    public void Prepare(ReadOnlySpan<ushort> from, ReadOnlySpan<ushort> to, double deadZone)
    {
        _rounding = (uint)((0.5 - deadZone) * (1 << FractionBits));
        for (var k = 0; k < CoefficientPlane.BlockSize; k++)
        {
            // Rounded up, so that what lies half way between two steps does not fall below it.
            _ratios[k] = (uint)((((ulong)from[k] << FractionBits) + to[k] - 1) / to[k]);
            var rounding = k == 0 ? 1u << (FractionBits - 1) : _rounding;
            _thresholds[k] = (short)Math.Min(((1L << FractionBits) - rounding - 1) / _ratios[k], short.MaxValue);
        }
    }

    /// <summary>The DC coefficient, which is rounded to nearest: an error in it shows as an edge between blocks.</summary>
    public int Dc(int value) => Scale(value, _ratios[0], 1u << (FractionBits - 1));

    /// <summary>An AC coefficient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Ac(int value, int k) => Scale(value, _ratios[k], _rounding);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Scale(int value, uint ratio, uint rounding)
    {
        var sign = value >> 31;
        return ((int)(((ulong)(uint)((value ^ sign) - sign) * ratio + rounding) >> FractionBits) ^ sign) - sign;
    }

    /// <summary>The AC coefficients of a block that do not become zero: bit k for coefficient k.</summary>
    public ulong Survivors(ReadOnlySpan<short> block) =>
        (Vector256.IsHardwareAccelerated ? SurvivorsByVector256(block)
            : Vector128.IsHardwareAccelerated ? SurvivorsByVector128(block)
            : SurvivorsOneByOne(block)) & ~1UL;

    internal ulong SurvivorsByVector256(ReadOnlySpan<short> block)
    {
        var survivors = 0UL;
        ReadOnlySpan<short> thresholds = _thresholds;
        for (var k = 0; k < CoefficientPlane.BlockSize; k += 2 * Vector256<short>.Count)
        {
            var low = Vector256.GreaterThan(Vector256.Abs(Vector256.Create(block[k..])), Vector256.Create(thresholds[k..]));
            var high = Vector256.GreaterThan(
                Vector256.Abs(Vector256.Create(block[(k + Vector256<short>.Count)..])), Vector256.Create(thresholds[(k + Vector256<short>.Count)..]));
            survivors |= (ulong)Vector256.Narrow(low, high).ExtractMostSignificantBits() << k;
        }

        return survivors;
    }

    internal ulong SurvivorsByVector128(ReadOnlySpan<short> block)
    {
        var survivors = 0UL;
        ReadOnlySpan<short> thresholds = _thresholds;
        for (var k = 0; k < CoefficientPlane.BlockSize; k += 2 * Vector128<short>.Count)
        {
            var low = Vector128.GreaterThan(Vector128.Abs(Vector128.Create(block[k..])), Vector128.Create(thresholds[k..]));
            var high = Vector128.GreaterThan(
                Vector128.Abs(Vector128.Create(block[(k + Vector128<short>.Count)..])), Vector128.Create(thresholds[(k + Vector128<short>.Count)..]));
            survivors |= (ulong)Vector128.Narrow(low, high).ExtractMostSignificantBits() << k;
        }

        return survivors;
    }

    internal ulong SurvivorsOneByOne(ReadOnlySpan<short> block)
    {
        var survivors = 0UL;
        for (var k = 0; k < CoefficientPlane.BlockSize; k++)
            if (Math.Abs((int)block[k]) > _thresholds[k])
                survivors |= 1UL << k;
        return survivors;
    }

    private static Requantiser MakeIdentity()
    {
        var steps = new ushort[CoefficientPlane.BlockSize];
        Array.Fill<ushort>(steps, 1);
        var identity = new Requantiser();
        identity.Prepare(steps, steps, deadZone: 0);
        return identity;
    }
}
