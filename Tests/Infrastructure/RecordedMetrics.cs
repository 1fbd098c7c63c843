using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Darkroom.Telemetry;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The product's metrics on a meter of a test's own, and every measurement made with them.</summary>
internal sealed class RecordedMetrics : IDisposable
{
    private readonly OneMeter _meters = new();
    private readonly MeterListener _listener;
    private readonly ConcurrentQueue<Instrument> _instruments = new();
    private readonly ConcurrentQueue<(string Instrument, double Value, string Labels)> _measurements = new();

    public RecordedMetrics()
    {
        Metrics = new DarkroomMetrics(_meters);
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter != _meters.Meter)
                    return;
                _instruments.Enqueue(instrument);
                listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) => Keep(instrument, value, labels));
        _listener.SetMeasurementEventCallback<double>((instrument, value, labels, _) => Keep(instrument, value, labels));
        _listener.Start();
    }

    public DarkroomMetrics Metrics { get; }

    public IReadOnlyCollection<Instrument> Instruments => _instruments;

    /// <summary>The sum of an instrument's measurements by their labels, written <c>name=value</c> and joined by blanks.</summary>
    public Dictionary<string, double> Sums(string instrument) => _measurements
        .Where(measurement => measurement.Instrument == instrument)
        .GroupBy(measurement => measurement.Labels)
        .ToDictionary(group => group.Key, group => group.Sum(measurement => measurement.Value));

    /// <summary>An instrument's measurements in the order in which they were made.</summary>
    public IReadOnlyList<double> Values(string instrument) =>
        [.. _measurements.Where(measurement => measurement.Instrument == instrument).Select(measurement => measurement.Value)];

    public void Dispose()
    {
        _listener.Dispose();
        _meters.Dispose();
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> labels) =>
        _measurements.Enqueue((instrument.Name, value, string.Join(' ', labels.ToArray().Select(label => $"{label.Key}={label.Value}"))));

    private sealed class OneMeter : IMeterFactory
    {
        public Meter Meter { get; private set; } = null!;

        public Meter Create(MeterOptions options) => Meter = new Meter(options);

        public void Dispose() => Meter.Dispose();
    }
}
