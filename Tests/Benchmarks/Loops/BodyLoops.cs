using System.Text.Json;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using Darkroom.Activities;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Microsoft.Extensions.Options;

namespace Darkroom.Benchmarks.Loops;

/// <summary>Overhead of a fan-out's body per image, without the image work itself, by the kind of expression of one input.</summary>
public class BodyLoops
{
    private static readonly (string Name, string Type, JsonNode Value)[] Inputs =
    [
        ("literal", "Literal", "800"),
        ("variable", "Variable", new JsonObject { ["id"] = "v1" }),
        ("javascript, image", "JavaScript", "(image.width ?? 1600) / 2"),
        ("javascript, variable", "JavaScript", "variables.Side / 2 + 400"),
        ("javascript, built-ins", "JavaScript", "Math.max(...[image.position, 2].map(n => n * 400))"),
        ("javascript, any name", "JavaScript", "image[['position', 'row'][0]] * 800"),
        ("liquid", "Liquid", "{% if Image.Row > 0 %}800{% else %}1600{% endif %}"),
    ];

    private BoundImageBody _body = null!;

    public static IEnumerable<string> Names => Inputs.Select(input => input.Name);

    [ParamsSource(nameof(Names))]
    public string Input { get; set; } = "";

    [GlobalSetup]
    public void Bind()
    {
        var (_, type, value) = Inputs.Single(input => input.Name == Input);
        _body = Bind(type, value);
    }

    [Benchmark]
    public async Task Image()
    {
        using var run = new ImageRun(new ClaimedImage(new ImageId(1), default, 1, 1, 1, 1, "https://cdn.example.com/1.jpg", 1, 0, default), TimeProvider.System);
        await _body.RunAsync(run, CancellationToken.None);
    }

    private static BoundImageBody Bind(string type, JsonNode value)
    {
        var catalog = new ActivityCatalog(
            [
                new ActivityRegistration(FlowDecision.Descriptor, () => new FlowDecision()),
                new ActivityRegistration(ResizeImage.Descriptor, () => new ResizeImage()),
                new ActivityRegistration(CompressImage.Descriptor, () => new CompressImage()),
                new ActivityRegistration(WriteLine.Descriptor, () => new WriteLine()),
            ],
            new ExpressionLanguages(Options.Create(new ExpressionOptions()), TimeProvider.System, new Random(1)));
        var definition = new JsonObject
        {
            ["variables"] = new JsonArray(new JsonObject { ["id"] = "v1", ["name"] = "Side", ["typeName"] = "Int32", ["value"] = "800" }),
            ["root"] = new JsonObject
            {
                ["id"] = "body",
                ["type"] = "Elsa.Flowchart",
                ["activities"] = new JsonArray(
                    Activity("decide", FlowDecision.Descriptor, ("condition", "Literal", "true")),
                    Activity("resize", ResizeImage.Descriptor, ("width", type, value)),
                    Activity("compress", CompressImage.Descriptor),
                    Activity("write", WriteLine.Descriptor, ("text", "Literal", "resized"))),
                ["connections"] = new JsonArray(Connect("decide", "True", "resize"), Connect("resize", Outcome.Done, "compress"), Connect("compress", Outcome.Done, "write")),
            },
        };
        var document = WorkflowDocument.Parse(definition.ToJsonString());
        var errors = new ValidationErrors();
        var body = ImageBody.Compile(document.Root, "The body", catalog, document, errors, publishing: false);
        errors.ThrowIfAny();
        return body!.Bind(new ExpressionScope { Variables = new Dictionary<string, JsonElement> { ["Side"] = JsonSerializer.SerializeToElement(800) } });
    }

    private static JsonObject Activity(string id, ActivityDescriptor descriptor, params (string Name, string Type, JsonNode Value)[] inputs)
    {
        var activity = new JsonObject { ["id"] = id, ["name"] = id, ["type"] = descriptor.TypeName, ["version"] = descriptor.Version };
        foreach (var (name, type, value) in inputs)
            activity[name] = new JsonObject { ["expression"] = new JsonObject { ["type"] = type, ["value"] = value.DeepClone() } };
        return activity;
    }

    private static JsonObject Connect(string source, string outcome, string target) => new()
    {
        ["source"] = new JsonObject { ["activity"] = source, ["port"] = outcome },
        ["target"] = new JsonObject { ["activity"] = target, ["port"] = "In" },
    };
}
