using System.Runtime.CompilerServices;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Egress;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Darkroom.Storage;
using Npgsql;

namespace Darkroom.Activities;

/// <summary>
/// Checks the CSV against the limits of this workflow version and loads its products and images. The format was already validated at
/// upload. Later runs of the same request reuse the loaded rows.
/// </summary>
internal sealed class ValidateCsv(
    NpgsqlDataSource database, ObjectStore objects, EgressGuard egress, ProductLoader loader) : WorkflowActivity, IDescribedActivity
{
    private const string Valid = nameof(Valid);
    private const string Invalid = nameof(Invalid);
    private const string MaxProducts = nameof(MaxProducts);
    private const string MaxImages = nameof(MaxImages);
    private const string AllowedHosts = nameof(AllowedHosts);

    // A smaller CSV is read once and kept until its products are loaded; a larger one is read twice.
    private const int KeptImages = 1_000;

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.ValidateCsv",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Validate CSV",
        Description = "Checks the CSV against this workflow's limits and allowed hosts, and loads its products and images.",
        Inputs =
        [
            InputDescriptor.Number(MaxProducts, 1_000_000, 1, 10_000_000, "Maximum number of products in one CSV."),
            InputDescriptor.Number(MaxImages, 2_000_000, 1, 20_000_000, "Maximum number of images in one CSV."),
            new InputDescriptor(AllowedHosts, typeof(string), null,
                "Hosts that images may come from, separated by commas; a leading dot includes all subdomains. Leave empty to allow all hosts."),
        ],
        Outputs =
        [
            new OutputDescriptor("Products", typeof(int), "Products in the CSV, if it is valid."),
            new OutputDescriptor("Images", typeof(int), "Images in the CSV, if it is valid."),
            new OutputDescriptor("Code", typeof(string), "Error code, if the CSV is invalid."),
            new OutputDescriptor("Message", typeof(string), "Error message, if the CSV is invalid."),
        ],
        Outcomes = [Valid, Invalid],
    };

    /// <summary>For activities that need the products and images it loads.</summary>
    internal static RequiredStep Required { get; } = new(Descriptor, "which loads the products and images") { Outcome = Valid };

    public override async Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var csv = await RequestCsv.ReadAsync(database, context.RequestId, cancellationToken);
        if (context.Run > 1)
            return Loaded(csv);

        var policy = new CsvPolicy(
            context.Inputs.Get<int>(MaxProducts), context.Inputs.Get<int>(MaxImages),
            CsvPolicy.ReadHosts(context.Inputs.Text(AllowedHosts)), egress);
        var kept = csv.Images <= KeptImages ? new List<ProductRow>(csv.Products) : null;
        var rejection = policy.CheckCounts(csv.Products, csv.Images) ?? await ValidateUrlsAsync(policy, csv, kept, cancellationToken);
        if (rejection is not null)
            return Rejected(context.RequestId, rejection);

        return Loaded(csv) with
        {
            Effect = (connection, token) => loader.LoadAsync(
                connection, context.RequestId, kept?.ToAsyncEnumerable() ?? ReadProductsAsync(csv, token), token),
        };
    }

    private async Task<CsvRejection?> ValidateUrlsAsync(
        CsvPolicy policy, RequestCsv csv, List<ProductRow>? kept, CancellationToken cancellationToken)
    {
        await foreach (var product in ReadProductsAsync(csv, cancellationToken))
        {
            if (policy.CheckUrls(product) is { } rejection)
                return rejection;
            kept?.Add(product);
        }

        return null;
    }

    private async IAsyncEnumerable<ProductRow> ReadProductsAsync(RequestCsv csv, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = await objects.OpenReadAsync(csv.Key, cancellationToken);
        await foreach (var product in ProductReader.ReadAsync(stream, csv.Dialect, cancellationToken))
            yield return product;
    }

    private static ActivityResult.Completed Loaded(RequestCsv csv) => new(Valid)
    {
        Outputs = new Dictionary<string, object?> { ["Products"] = csv.Products, ["Images"] = csv.Images },
    };

    private static ActivityResult.Completed Rejected(RequestId request, CsvRejection rejection) => new(Invalid)
    {
        Outputs = new Dictionary<string, object?> { ["Code"] = rejection.Code, ["Message"] = rejection.Message },
        Effect = (connection, token) => RequestUpdates.RefuseCsvAsync(connection, request, rejection, token),
    };
}
