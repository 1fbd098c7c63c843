using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>
/// Lets a suspect be decoded while nothing else is decoded in its process, so that a crash can be attributed to it. It holds up others
/// only for that long, never while it downloads, and once it has survived it is no suspect any more.
/// </summary>
public sealed class DecodeGate(NpgsqlDataSource database)
{
    private readonly ExclusiveGate _gate = new();

    /// <summary>Decodes the image, alone if it is a suspect.</summary>
    /// <exception cref="ClaimLostException">The claim was lost, so the image must not be decoded here.</exception>
    public async Task<T> RunAsync<T>(ClaimedImage image, Func<Task<T>> decode, CancellationToken cancellationToken)
    {
        await _gate.EnterAsync(image.Suspect);
        try
        {
            return image.Suspect ? await RunAloneAsync(image, decode, cancellationToken) : await decode();
        }
        finally
        {
            _gate.Leave();
        }
    }

    private async Task<T> RunAloneAsync<T>(ClaimedImage image, Func<Task<T>> decode, CancellationToken cancellationToken)
    {
        if (!await BeginAsync(image, cancellationToken))
            throw new ClaimLostException();
        try
        {
            return await decode();
        }
        finally
        {
            // Also if it could not be decoded: refusing an image is not a crash.
            await SurviveAsync(image);
        }
    }

    /// <summary>Records that this image is about to be decoded alone. False if the claim was lost.</summary>
    internal Task<bool> BeginAsync(ClaimedImage image, CancellationToken cancellationToken) =>
        UpdateAsync(image, "exclusive = true", cancellationToken);

    /// <summary>Records that the image did not crash this process.</summary>
    internal Task<bool> SurviveAsync(ClaimedImage image) =>
        UpdateAsync(image, "exclusive = false, suspect = false", CancellationToken.None);

    private async Task<bool> UpdateAsync(ClaimedImage image, string change, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                update images
                set {change}
                where id = @id
                  and fence = @fence
                  and state = 'running'
                """)
            .With("id", image.Id.Value)
            .With("fence", image.Fence);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }
}

/// <summary>The image now belongs to another claim, so this process must stop working on it.</summary>
public sealed class ClaimLostException() : Exception("The claim was lost.");
