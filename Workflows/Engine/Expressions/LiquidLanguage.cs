using System.Globalization;
using System.Text.Json;
using Fluid;
using Fluid.Values;

namespace Darkroom.Engine.Expressions;

/// <summary>Liquid by Fluid: text with <c>{{ Variables.Name }}</c>, <c>{{ Input.Name }}</c>, <c>{{ CorrelationId }}</c> and <c>{{ Image.Width }}</c> filled in.</summary>
internal sealed class LiquidLanguage : IExpressionLanguage
{
    private static readonly FluidParser Parser = new();

    private readonly ExpressionOptions _bounds;
    private readonly TemplateOptions _options;

    public LiquidLanguage(ExpressionOptions bounds)
    {
        _bounds = bounds;
        _options = new TemplateOptions
        {
            MaxSteps = bounds.MaxLiquidSteps,
            MaxRecursion = bounds.MaxRecursion,
            CultureInfo = CultureInfo.InvariantCulture,
            Assigned = (_, value, context) => new ValueTask<FluidValue>(LiquidMeter.Of(context).Bounded(value)),
            Captured = (_, value, context) => new ValueTask<FluidValue>(LiquidMeter.Of(context).Bounded(value)),
        };
        // All of them rather than a list, so that filters added by later versions of Fluid are limited as well.
        foreach (var (name, filter) in _options.Filters.ToArray())
            _options.Filters.AddFilter(name, LiquidMeter.Guard(name, filter));
    }

    public string Name => "Liquid";

    public string EditorLanguage => "liquid";

    public IExpression Parse(string source)
    {
        LiquidShape.Check(source, _bounds.MaxRecursion);
        return Parser.TryParse(source, out var template, out var error)
            ? new LiquidExpression(this, LiquidMeter.Instrument(template))
            : throw new ExpressionException($"this is not Liquid: {error}");
    }

    private sealed class LiquidExpression(LiquidLanguage language, IFluidTemplate template) : IExpression
    {
        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken)
        {
            var context = new TemplateContext(language._options);
            context.SetValue("Variables", Named.Of(name => Value(scope.Variable(name))));
            context.SetValue("Input", Named.Of(name => Value(scope.Inputs.TryGetValue(name, out var input) ? input : default)));
            if (scope.Inputs.TryGetValue("RequestId", out var request))
                context.SetValue("CorrelationId", Value(request));
            if (scope.Image is { } image)
                context.SetValue("Image", Named.Of(name => Fact(image, name)));
            var meter = new LiquidMeter(language._bounds, cancellationToken);
            meter.Attach(context);
            using var writer = meter.Writer();
            try
            {
#pragma warning disable CS0618 // The overload that the message recommends is not in this version of the package.
                template.Render(context, NullEncoder.Default, writer);
#pragma warning restore CS0618
                return JsonSerializer.SerializeToElement(writer.ToString());
            }
            catch (Exception e) when (e is not ExpressionException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
            {
                throw new ExpressionException($"it failed: {e.Message}", e);
            }
        }

        private static FluidValue Fact(IImageFacts image, string name) => name.ToUpperInvariant() switch
        {
            "URL" => StringValue.Create(image.Url),
            "ROW" => NumberValue.Create(image.Row),
            "POSITION" => NumberValue.Create(image.Position),
            "WIDTH" => Number(image.Width),
            "HEIGHT" => Number(image.Height),
            "BYTES" => Number(image.Bytes),
            "FORMAT" => image.Format is { } format ? StringValue.Create(format) : NilValue.Instance,
            _ => NilValue.Instance,
        };

        private static FluidValue Number(long? value) => value is { } number ? NumberValue.Create(number) : NilValue.Instance;

        private static FluidValue Value(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String => StringValue.Create(value.GetString()!),
            JsonValueKind.Number => NumberValue.Create(value.TryGetDecimal(out var number) ? number : 0),
            JsonValueKind.True => BooleanValue.True,
            JsonValueKind.False => BooleanValue.False,
            JsonValueKind.Array => new ArrayValue(value.EnumerateArray().Select(Value).ToList()),
            JsonValueKind.Object => Named.Of(name => Value(value.TryGetProperty(name, out var member) ? member : default)),
            _ => NilValue.Instance,
        };
    }
}

/// <summary>A Liquid object whose members are looked up on access.</summary>
internal sealed class Named(Func<string, FluidValue> find) : IFluidIndexable
{
    public int Count => 0;

    public IEnumerable<string> Keys => [];

    public static DictionaryValue Of(Func<string, FluidValue> find) => new(new Named(find));

    public bool TryGetValue(string name, out FluidValue value)
    {
        value = find(name);
        return value is not NilValue;
    }
}

/// <summary>A writer with a maximum length that runs a check on every write.</summary>
internal sealed class BoundedWriter(int maxLength, Action check) : StringWriter(CultureInfo.InvariantCulture)
{
    public override void Write(char value)
    {
        MakeRoom(1);
        base.Write(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        MakeRoom(count);
        base.Write(buffer, index, count);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        MakeRoom(buffer.Length);
        base.Write(buffer);
    }

    public override void Write(string? value)
    {
        MakeRoom(value?.Length ?? 0);
        base.Write(value);
    }

    private void MakeRoom(int count)
    {
        check();
        if (GetStringBuilder().Length + count > maxLength)
            throw new ExpressionException($"it comes to more than {maxLength:N0} characters.");
    }
}
