using Darkroom.Data;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Limits how many files this process receives at once, and thereby its memory use; no owner can take all of it.</summary>
internal sealed class UploadGate(IOptions<UploadOptions> options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<OwnerId, int> _uploads = [];
    private int _all;

    public bool TryEnter(OwnerId owner)
    {
        lock (_lock)
        {
            var own = _uploads.GetValueOrDefault(owner);
            if (_all >= options.Value.MaxConcurrent || own >= options.Value.MaxConcurrentPerOwner)
                return false;
            _all++;
            _uploads[owner] = own + 1;
            return true;
        }
    }

    public void Leave(OwnerId owner)
    {
        lock (_lock)
        {
            _all--;
            if (--_uploads[owner] == 0)
                _uploads.Remove(owner);
        }
    }
}
