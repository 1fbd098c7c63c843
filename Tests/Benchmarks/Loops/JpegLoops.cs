using BenchmarkDotNet.Attributes;
using Darkroom.Images.Containers;
using Darkroom.Images.Jpeg;

namespace Darkroom.Benchmarks.Loops;

/// <summary>The inner loops of the JPEG transcoder, on a photo of the AppHost's samples.</summary>
public class JpegLoops
{
    private const int Bits = 8_000;
    private const int Blocks = 1_000;

    private readonly byte[] _random = new byte[Bits + BitReader.Padding];
    private readonly short[] _coefficients = new short[Blocks * CoefficientPlane.BlockSize];
    private readonly Requantiser _requantiser = new();
    private readonly JpegScratch _scratch = new();
    private readonly byte[] _photo = File.ReadAllBytes(Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples", "rangefinder-lens.jpg"));
    private JpegFrame _frame = null!;
    private JpegScan _scan = null!;

    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(1);
        random.NextBytes(_random);
        foreach (ref var coefficient in _coefficients.AsSpan())
            coefficient = (short)(random.Next(-1_023, 1_024) >> random.Next(11));
        var steps = Enumerable.Range(0, CoefficientPlane.BlockSize).Select(k => (ushort)(4 + k)).ToArray();
        _requantiser.Prepare(steps, [.. steps.Select(step => (ushort)(4 * step))], deadZone: 0);

        var segments = new JpegSegments(_photo);
        while (segments.Next() && _scan is null)
        {
            switch (segments.Marker)
            {
                case JpegMarker.Dht:
                    _scratch.Tables.ReadHuffmanTables(segments.Payload);
                    break;
                case JpegMarker.Sof0:
                    _frame = JpegFrame.Read(segments.Marker, segments.Payload);
                    break;
                case JpegMarker.Sos:
                    _scan = JpegScan.Read(segments.Payload, _frame, _scratch.Tables);
                    _scratch.Data.Read(segments.Entropy);
                    break;
            }
        }

        for (var i = 0; i < _frame.Components.Length; i++)
        {
            var component = _frame.Components[i];
            component.Plane = _scratch.Planes[i];
            component.Plane.Resize(_frame.McusAcross * component.Across, component.Down);
        }
    }

    [Benchmark(OperationsPerInvoke = Bits)]
    public int TakeBits()
    {
        var reader = new BitReader(_random, 0);
        var sum = 0;
        for (var i = 0; i < Bits; i++)
        {
            reader.Fill();
            sum += reader.Take(7);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Blocks)]
    public ulong FindSurvivors()
    {
        var all = 0UL;
        for (var i = 0; i < Blocks; i++)
            all ^= _requantiser.Survivors(_coefficients.AsSpan(i * CoefficientPlane.BlockSize, CoefficientPlane.BlockSize));
        return all;
    }

    /// <summary>All rows of the photo.</summary>
    [Benchmark]
    public void DecodePhoto()
    {
        foreach (var component in _frame.Components)
            component.Prediction = 0;
        var decoder = new ScanDecoder(_scan, _frame, _scratch.Data, restartInterval: 0);
        for (var row = 0; row < decoder.Rows; row++)
            decoder.ReadRow(0);
    }
}
