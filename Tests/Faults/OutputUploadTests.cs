using System.Text;
using Amazon.S3.Model;
using Darkroom.Tests.EndToEnd;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F21: the output CSV is written in several parts, and its writer dies between them.</summary>
public sealed class OutputUploadTests(ITestOutputHelper output)
{
    private const int Part = 5 << 20;
    private const int Cell = 200_000;

    [Fact]
    public async Task A_writer_that_dies_half_way_through_the_output_CSV_leaves_one_complete_CSV_and_no_parts()
    {
        await using var lab = await FaultLab.StartAsync(output);
        var dying = lab.System.StartWorkerProcess();
        var parts = LongRun.Or(2, 12);
        // Beginning the upload is the first request.
        var half = new FailPoint("output CSV: half of its parts", null, "/output-", IsAfter: true).StrikeAsync(lab, 1 + (parts / 2), dying.KillAsync);
        var request = await lab.System.Client.UploadAsync(Large(lab, parts * Part / Cell), lab.System.Webhooks.Url);
        await half;
        Assert.NotEmpty(await PartialUploadsAsync(lab));

        lab.System.StartWorkerProcess();

        await lab.CheckAsync([request], $"Died after {parts / 2} of {parts} parts", TimeSpan.FromMinutes(3));
        Assert.Empty(await PartialUploadsAsync(lab));
    }

    /// <summary>One image per product, and a description that makes the CSV large.</summary>
    private static string Large(FaultLab lab, int products)
    {
        var (csv, description) = (new StringBuilder(ProductCsv.Header + "\n"), new string('x', Cell));
        for (var product = 1; product <= products; product++)
            csv.Append(System.Globalization.CultureInfo.InvariantCulture, $"{product}.,{description},{lab.System.Images.Good(product)}\n");
        return csv.ToString();
    }

    private static async Task<IReadOnlyList<MultipartUpload>> PartialUploadsAsync(FaultLab lab)
    {
        using var client = lab.System.S3.CreateClient();
        var uploads = await client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = lab.System.S3.Connection.Bucket });
        return uploads.MultipartUploads ?? [];
    }
}
