using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Darkroom.Tests.Api;

/// <summary>A CSV that stops after its first rows until the test resumes it, if ever.</summary>
internal sealed class PausedCsv : IDisposable
{
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _resume = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PausedCsv(int rowsFirst = 1) => Content = new Body(this, rowsFirst);

    public HttpContent Content { get; }

    /// <summary>Completes when the first rows have been sent.</summary>
    public Task Sent => _sent.Task;

    public void Resume() => _resume.TrySetResult();

    public void Dispose()
    {
        _resume.TrySetCanceled();
        Content.Dispose();
    }

    private sealed class Body : HttpContent
    {
        private readonly PausedCsv _csv;
        private readonly int _rowsFirst;

        public Body(PausedCsv csv, int rowsFirst)
        {
            _csv = csv;
            _rowsFirst = rowsFirst;
            Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("S. No.,Product Name,Input Image Urls\n"u8.ToArray(), cancellationToken);
            for (var row = 1; row <= _rowsFirst; row++)
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"{row},Chair,https://images.test/{row}.jpg\n"), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            _csv._sent.TrySetResult();
            await _csv._resume.Task.WaitAsync(cancellationToken);
            await stream.WriteAsync("0,Last,https://images.test/last.jpg\n"u8.ToArray(), cancellationToken);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
