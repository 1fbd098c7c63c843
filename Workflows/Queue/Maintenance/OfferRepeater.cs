using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>Pushes all offered images to Redis once more. Those that are still queued there stay as they are.</summary>
public sealed class OfferRepeater(NpgsqlDataSource database, ImageQueue queue, IOptions<QueueOptions> options)
{
    /// <summary>Returns how many there are.</summary>
    public async Task<int> RepeatAsync(CancellationToken cancellationToken)
    {
        var pushed = 0;
        await foreach (var offers in ImageOffers.ReadOfferedAsync(database, TimeSpan.Zero, options.Value.ReconcileSlice, cancellationToken))
        {
            await ImageOffers.PushAsync(queue, offers);
            pushed += offers.Count;
        }

        return pushed;
    }
}
