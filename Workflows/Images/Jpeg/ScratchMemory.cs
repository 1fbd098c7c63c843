using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Arrays that a transcoder keeps from one image to the next: memory that is new for each image costs more time than the work done in it.
/// </summary>
internal static class ScratchMemory
{
    /// <summary>Larger arrays are released after their image, in bytes: enough for the coefficients of 5 megapixels at 4:2:0.</summary>
    private const int MaxKeptBytes = 16 * 1_048_576;

    /// <summary>Makes the array at least so long. It is not cleared, and what it held is lost if it grows.</summary>
    public static void Ensure<T>(ref T[] array, int length)
        where T : unmanaged
    {
        if (array.Length < length)
            array = GC.AllocateUninitializedArray<T>(length);
    }

    /// <summary>Releases the array if it is too large to keep.</summary>
    public static void Trim<T>(ref T[] array)
        where T : unmanaged
    {
        if ((long)array.Length * Unsafe.SizeOf<T>() > MaxKeptBytes)
            array = [];
    }
}
