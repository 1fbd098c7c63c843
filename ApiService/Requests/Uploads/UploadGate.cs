using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Limits how many files this process receives at once, and thereby its memory use.</summary>
internal sealed class UploadGate(IOptions<UploadOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _free = new(options.Value.MaxConcurrent);

    public bool TryEnter() => _free.Wait(0);

    public void Leave() => _free.Release();

    public void Dispose() => _free.Dispose();
}
