using System.Globalization;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;

namespace Darkroom.Engine.Flow;

/// <summary>The inputs of one activity, parsed once: literals are already values, the rest is computed when it runs.</summary>
internal sealed class CompiledInputs
{
    private readonly ActivityNode _node;
    private readonly Dictionary<string, CompiledInput> _inputs;

    private CompiledInputs(ActivityNode node, Dictionary<string, CompiledInput> inputs) => (_node, _inputs) = (node, inputs);

    /// <summary>True if a value depends on more than the variables and inputs that all images of a fan-out share.</summary>
    public bool PerImage => _inputs.Values.Any(input => input.Expression is ParsedExpression);

    /// <summary>The values that are the same each time the activity runs.</summary>
    public KnownInputs Known => new(name => _inputs.TryGetValue(name, out var input) && input.Expression is null ? (true, input.Constant) : (false, null));

    /// <summary>Reports an error for each value that does not fit its input, and for each expression in an unsupported language.</summary>
    public static CompiledInputs Compile(
        ActivityNode node, ActivityDescriptor descriptor, WorkflowDocument document, ExpressionLanguages languages, ValidationErrors errors)
    {
        var inputs = new Dictionary<string, CompiledInput>(StringComparer.OrdinalIgnoreCase);
        foreach (var input in descriptor.Inputs)
        {
            try
            {
                inputs[input.Name] =
                    !input.IsWrapped ? new CompiledInput(input, node.Raw.TryGetValue(input.Name, out var raw) ? raw : null, null)
                    : node.Inputs.TryGetValue(input.Name, out var expression) ? CompileExpression(input, expression, document, languages)
                    : new CompiledInput(input, input.Default, null);
            }
            catch (WorkflowDefinitionException e)
            {
                errors.Add(node, e.Message);
                continue;
            }

            if (input.IsRequired && inputs[input.Name] is { Expression: null, Constant: null or "" })
                errors.Add(node, $"{input.Name} needs a value.");
        }

        return new CompiledInputs(node, inputs);
    }

    /// <summary>The values as journals show them, without those that are not to be kept.</summary>
    public IReadOnlyDictionary<string, object?> ForJournal(IReadOnlyDictionary<string, object?> values) =>
        _inputs.Values.Any(input => input.Input.IsSensitive || input.Input.Redact is not null || !_node.Logs.KeepsInput(input.Input.Name))
            ? values.Where(pair => _node.Logs.KeepsInput(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value is null ? null : Shown(_inputs[pair.Key].Input, pair.Value))
            : values;

    private static object Shown(InputDescriptor input, object value) =>
        input.Redact is { } redact ? redact(value) : input.IsSensitive ? InputDescriptor.Hidden : value;

    /// <summary>Evaluates all inputs from variables alone.</summary>
    /// <exception cref="WorkflowDefinitionException">A variable holds a value that the input does not accept.</exception>
    public Dictionary<string, object?> Evaluate(IReadOnlyDictionary<string, JsonElement> variables) =>
        Evaluate(new ExpressionScope { Variables = variables }, CancellationToken.None);

    /// <summary>Evaluates all inputs in this scope.</summary>
    /// <exception cref="WorkflowDefinitionException">An expression fails or returns an unsuitable value; the message names activity and input.</exception>
    public Dictionary<string, object?> Evaluate(ExpressionScope scope, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, object?>(_inputs.Count, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, input) in _inputs)
            values[name] = input.Expression is null ? input.Constant : Evaluate(input.Input, input.Expression, scope, cancellationToken);
        return values;
    }

    private object? Evaluate(InputDescriptor input, IExpression expression, ExpressionScope scope, CancellationToken cancellationToken)
    {
        try
        {
            var converted = Convert(input, expression.Evaluate(scope, cancellationToken));
            return input.IsRequired && converted is null or ""
                ? throw new WorkflowDefinitionException($"{input.Name} has no value.")
                : converted;
        }
        catch (ExpressionException e)
        {
            throw new WorkflowDefinitionException($"{_node.Label}: {input.Name}: {e.Message}", e);
        }
        catch (WorkflowDefinitionException e)
        {
            throw new WorkflowDefinitionException($"{_node.Label}: {e.Message}", e);
        }
    }

    private static CompiledInput CompileExpression(
        InputDescriptor input, ExpressionNode expression, WorkflowDocument document, ExpressionLanguages languages)
    {
        switch (expression.Type)
        {
            case "Literal" or "Object":
                // Values that go into journals and the workflow's state are limited, computed or literal.
                if (expression.Value.ValueKind != JsonValueKind.Undefined && expression.Value.GetRawText().Length > languages.MaxTextLength)
                    throw new WorkflowDefinitionException($"{input.Name} has more than {languages.MaxTextLength:N0} characters.");
                return new CompiledInput(input, Convert(input, expression.Value), null);
            case "Variable":
                var id = VariableId(expression.Value);
                if (id is null || !document.Variables.TryGetValue(id, out var variable))
                    throw new WorkflowDefinitionException($"{input.Name} names a variable that does not exist.");
                return new CompiledInput(input, null, new VariableExpression(variable.Name));
            case "Input":
                var name = InputName(expression.Value);
                if (name is null || !document.Inputs.Contains(name, StringComparer.Ordinal))
                    throw new WorkflowDefinitionException($"{input.Name} names an input of the workflow that does not exist.");
                return new CompiledInput(input, null, new InputExpression(name));
            default:
                if (!languages.Knows(expression.Type))
                    throw new WorkflowDefinitionException($"{input.Name} is an expression in {expression.Type}, which is not run here.");
                return Parse(input, expression, languages);
        }
    }

    private static CompiledInput Parse(InputDescriptor input, ExpressionNode expression, ExpressionLanguages languages)
    {
        var source = expression.Value.ValueKind switch
        {
            JsonValueKind.String => expression.Value.GetString()!,
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            _ => expression.Value.GetRawText(),
        };
        if (string.IsNullOrWhiteSpace(source))
            return new CompiledInput(input, input.Default, null);
        try
        {
            return new CompiledInput(input, null, new ParsedExpression(languages.Parse(expression.Type, source)));
        }
        catch (ExpressionException e)
        {
            throw new WorkflowDefinitionException($"{input.Name}: {e.Message}", e);
        }
    }

    /// <summary>Studio writes a variable reference as a JSON string that holds the variable; by hand it may be the object itself.</summary>
    internal static string? VariableId(JsonElement value) => Member(value, "id");

    private static string? InputName(JsonElement value) =>
        Member(value, "name") ?? (value.ValueKind == JsonValueKind.String ? value.GetString() : null);

    private static string? Member(JsonElement value, string member)
    {
        if (value.ValueKind == JsonValueKind.String && value.GetString()!.TrimStart().StartsWith('{'))
        {
            try
            {
                using var nested = JsonDocument.Parse(value.GetString()!);
                return Member(nested.RootElement.Clone(), member);
            }
            catch (JsonException)
            {
                return null;
            }
        }

        return value.ValueKind == JsonValueKind.Object && value.TryGetProperty(member, out var found) && found.ValueKind == JsonValueKind.String
            ? found.GetString()
            : null;
    }

    /// <summary>Studio writes every literal as text, whatever its type.</summary>
    private static object? Convert(InputDescriptor input, JsonElement value)
    {
        if (input.Type == typeof(object))
            return ConvertAny(input, value);
        var text = value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => null,
            // PostgreSQL text cannot contain U+0000, and journals are stored there.
            JsonValueKind.String => value.GetString()!.Replace('\0', '\uFFFD'),
            _ => value.GetRawText(),
        };
        if (text is null || (text.Length == 0 && input.Type != typeof(string)))
            return input.Default;

        object? converted = input.Type switch
        {
            var t when t == typeof(string) => text,
            var t when t == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            var t when t == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) ? i : null,
            var t when t == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l) ? l : null,
            var t when t == typeof(double) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : null,
            var t when t == typeof(TimeSpan) => TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null,
            _ => throw new InvalidOperationException($"Input {input.Name} has the type {input.Type}, which no definition can give."),
        };
        if (converted is null)
            throw new WorkflowDefinitionException($"{input.Name} must be of type {input.Type.Name}, not '{(text.Length > 80 ? text[..80] : text)}'.");
        if (input.Check?.Invoke(converted) is { } error)
            throw new WorkflowDefinitionException(error);
        return converted;
    }

    private static object? ConvertAny(InputDescriptor input, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return input.Default;
        if (value.ValueKind != JsonValueKind.String)
            value = StorableJson.TryParse(value.GetRawText()) ?? throw new WorkflowDefinitionException($"{input.Name} is nested too deeply, or has a number that cannot be kept.");
        else if (value.GetString()!.Contains('\0'))
            value = JsonSerializer.SerializeToElement(value.GetString()!.Replace('\0', '\uFFFD'));
        if (input.Check?.Invoke(value) is { } error)
            throw new WorkflowDefinitionException(error);
        return value;
    }

    private sealed record CompiledInput(InputDescriptor Input, object? Constant, IExpression? Expression);

    private sealed record ParsedExpression(IExpression Parsed) : IExpression
    {
        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken) => Parsed.Evaluate(scope, cancellationToken);
    }

    private sealed class VariableExpression(string name) : IExpression
    {
        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken) => scope.Variable(name);
    }

    private sealed class InputExpression(string name) : IExpression
    {
        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken) =>
            scope.Inputs.TryGetValue(name, out var value) ? value : default;
    }
}
