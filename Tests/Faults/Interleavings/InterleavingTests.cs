using Xunit.Abstractions;

namespace Darkroom.Tests.Faults.Interleavings;

/// <summary>
/// Claims, lost heartbeats, rescues, records, cancellations and retries in orders chosen by a seed, statement by statement, on real
/// Postgres. After every statement the invariants of <see cref="InvariantWatch"/> must hold.
/// </summary>
public sealed class InterleavingTests(ITestOutputHelper output)
{
    private const int Seeds = 6;

    [Fact]
    public async Task Any_order_of_statements_keeps_the_invariants()
    {
        var (first, last) = LongRun.Seed is { } only ? (only, only) : (1, LongRun.Or(Seeds, 150));
        await using var world = await InterleavedWorld.StartAsync();
        var statements = 0;
        for (var seed = first; seed <= last; seed++)
        {
            try
            {
                statements += await world.RunAsync(seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException(
                    $"Seed {seed} (repeat it with DARKROOM_FAULT_SEED={seed}): {e.Message}{Environment.NewLine}{string.Join(Environment.NewLine, world.Trace.TakeLast(60))}", e);
            }
        }

        output.WriteLine($"{last - first + 1} orders with {statements} statements: {world.Summary}");
    }
}
