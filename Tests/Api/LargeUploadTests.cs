using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Darkroom.Tests.Api;

public sealed class LargeUploadTests : ApiTest
{
    private const int Rows = 400_000;
    private const long MaxGrowth = 64 * 1024 * 1024;

    [Fact]
    public async Task A_large_CSV_is_uploaded_in_bounded_memory()
    {
        await Alice.AcceptedAsync();
        using var content = new ManyRows();

        using var response = await Alice.UploadAsync(content);

        var request = await response.JsonAsync(HttpStatusCode.Accepted);
        Assert.Equal(Rows, request.GetProperty("no_of_images").GetInt32());
        Assert.True(content.Bytes > MaxGrowth, $"Only {content.Bytes} bytes were sent.");
        Assert.True(content.Growth < MaxGrowth, $"The heap grew by {content.Growth} bytes.");
    }

    /// <summary>Generates its rows while it is sent and samples the heap. Server and client share one process here.</summary>
    private sealed class ManyRows : HttpContent
    {
        private const int LookEvery = 20_000;
        private static readonly string Description = new('x', 150);

        public ManyRows() => Headers.ContentType = new MediaTypeHeaderValue("text/csv");

        public long Bytes { get; private set; }
        public long Growth { get; private set; }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await WriteAsync(stream, "S. No.,Product Name,Input Image Urls\n");
            var block = new StringBuilder();
            for (var row = 1; row <= Rows; row++)
            {
                block.Append(CultureInfo.InvariantCulture, $"{row},{Description},https://images.test/{row}.jpg\n");
                if (row % 500 == 0)
                {
                    await WriteAsync(stream, block.ToString());
                    block.Clear();
                }

                if (row % LookEvery == 0)
                    Growth = Math.Max(Growth, GC.GetTotalMemory(forceFullCollection: true) - before);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private async Task WriteAsync(Stream stream, string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Bytes += bytes.Length;
            await stream.WriteAsync(bytes);
        }
    }
}
