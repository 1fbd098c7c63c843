using System.Diagnostics;

namespace Darkroom.Tests.Telemetry;

/// <summary>
/// Every span that services in this process record from now on. It does not change sampling, so it does not see unsampled spans. Other
/// tests run in parallel, so filter by trace, or by something unique to the test.
/// </summary>
internal sealed class RecordedSpans : IDisposable
{
    private readonly ActivityListener _listener;
    private readonly Lock _lock = new();
    private readonly List<Activity> _spans = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RecordedSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Darkroom" or "Microsoft.AspNetCore" or "System.Net.Http" or "Npgsql" || source.Name.Contains("Redis", StringComparison.Ordinal),
            ActivityStopped = Keep,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> All
    {
        get
        {
            lock (_lock)
                return [.. _spans];
        }
    }

    public IReadOnlyList<Activity> Of(ActivityTraceId trace) => [.. All.Where(span => span.TraceId == trace)];

    /// <summary>Returns the trace's spans once <paramref name="complete"/> is true for them.</summary>
    public async Task<IReadOnlyList<Activity>> WaitAsync(ActivityTraceId trace, Func<IReadOnlyList<Activity>, bool> complete)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            Task more;
            lock (_lock)
                more = _more.Task;
            var spans = Of(trace);
            if (complete(spans))
                return spans;
            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The trace is incomplete: {string.Join(", ", Of(trace).Select(span => span.DisplayName))}.");
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Keep(Activity span)
    {
        if (!span.Recorded)
            return;
        lock (_lock)
        {
            _spans.Add(span);
            _more.SetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
