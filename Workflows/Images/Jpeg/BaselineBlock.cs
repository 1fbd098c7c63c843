using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>Decodes the blocks of a sequential scan (ITU T.81, F.2.2).</summary>
internal static class BaselineBlock
{
    // What 8-bit samples lead to. The differences of such values fit the categories of a baseline file.
    internal const int MinDc = -1024;
    internal const int MaxDc = 1023;

    /// <summary>Decodes one block.</summary>
    /// <exception cref="NotTranscodableException">The data is not a block.</exception>
    public static void Read(ref BitReader reader, JpegComponent component, Span<short> block)
    {
        // In a local, it stays in registers.
        var bits = reader;
        block.Clear();
        bits.Fill();
        var step = component.Dc.Steps[bits.Peek(HuffmanDecoder.LookUpBits)];
        if (step != 0)
        {
            bits.Skip(step & 0xFF);
            component.Prediction += step >> 16;
        }
        else
            component.Prediction += bits.TakeValue(bits.TakeSymbol(component.Dc));

        if (component.Prediction is < MinDc or > MaxDc)
            Throw();
        block[0] = (short)component.Prediction;

        var steps = component.Ac.Steps;
        var k = 1;
        do
        {
            bits.Fill();
            step = steps[bits.Peek(HuffmanDecoder.LookUpBits)];
            int value;
            if (step != 0)
            {
                bits.Skip(step & 0xFF);
                k += (step >> 8) & 0xFF;
                value = step >> 16;
            }
            else
            {
                var symbol = bits.TakeSymbol(component.Ac);
                var (run, category) = (symbol >> 4, symbol & 15);
                k += category == 0 && run < 15 ? HuffmanDecoder.EndOfBlock : run;
                value = bits.TakeValue(category);
            }

            if ((uint)k >= (uint)block.Length)
            {
                if (value != 0)
                    Throw();
                break;
            }

            block[k++] = (short)value;
        }
        while (k < CoefficientPlane.BlockSize);
        reader = bits;
    }

    private static void Throw() => throw new NotTranscodableException(NotTranscodable.Damaged);
}
