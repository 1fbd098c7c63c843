namespace Darkroom.Tests.Api;

/// <summary>For what another process or a closed connection brings about, where no signal reaches the test.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, patience.Token);
    }
}
