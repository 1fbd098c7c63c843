using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Darkroom.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The measurements made with the product's metrics, either on a meter of the test's own or in services that it runs.</summary>
internal sealed class RecordedMetrics : IDisposable
{
    private readonly OneMeter _meters = new();
    private readonly MeterListener _listener;
    private readonly ConcurrentQueue<Instrument> _instruments = new();
    private readonly ConcurrentQueue<(string Instrument, double Value, string Labels)> _measurements = new();

    /// <param name="services">The running services whose metrics to record. Null: only what is measured with <see cref="Metrics"/>.</param>
    public RecordedMetrics(params IServiceProvider[] services)
    {
        Metrics = new DarkroomMetrics(_meters);
        var factories = services.Select(service => service.GetRequiredService<IMeterFactory>()).ToList();
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                var isOurs = instrument.Meter == _meters.Meter
                    || (instrument.Meter.Name == DarkroomMetrics.MeterName && factories.Any(factory => ReferenceEquals(factory, instrument.Meter.Scope)));
                if (!isOurs)
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
