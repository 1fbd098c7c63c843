using System.Globalization;
using System.Text.Json;

namespace Darkroom.Engine;

/// <summary>The inputs of one activity, parsed once: literals are values already, only variables are looked up when it runs.</summary>
internal sealed class CompiledInputs
{
    private readonly Dictionary<string, CompiledInput> _inputs;

    private CompiledInputs(Dictionary<string, CompiledInput> inputs) => _inputs = inputs;

    /// <summary>Complains of each value that does not fit its input, and of each expression in a language that is not run here.</summary>
    public static CompiledInputs Compile(
        ActivityNode node, ActivityDescriptor descriptor, WorkflowDocument document, DefinitionComplaints complaints)
    {
        var inputs = new Dictionary<string, CompiledInput>(StringComparer.OrdinalIgnoreCase);
        foreach (var input in descriptor.Inputs)
        {
            try
            {
                inputs[input.Name] = node.Inputs.TryGetValue(input.Name, out var expression)
                    ? CompileExpression(input, expression, document)
                    : new CompiledInput(input, input.Default, null);
            }
            catch (WorkflowDefinitionException e)
            {
                complaints.Add(node, e.Message);
                continue;
            }

            if (input.IsRequired && inputs[input.Name] is { Variable: null, Constant: null or "" })
                complaints.Add(node, $"{input.Name} needs a value.");
        }

        return new CompiledInputs(inputs);
    }

    /// <summary>Evaluates all inputs against the variables as they are now.</summary>
    /// <exception cref="WorkflowDefinitionException">A variable holds what the input cannot take.</exception>
    public Dictionary<string, object?> Evaluate(IReadOnlyDictionary<string, JsonElement> variables) =>
        _inputs.ToDictionary(
            pair => pair.Key,
            pair => pair.Value.Variable is { } name
                ? Convert(pair.Value.Input, variables.TryGetValue(name, out var value) ? value : default)
                : pair.Value.Constant,
            StringComparer.OrdinalIgnoreCase);

    private static CompiledInput CompileExpression(InputDescriptor input, ExpressionNode expression, WorkflowDocument document)
    {
        switch (expression.Type)
        {
            case "Literal" or "Object":
                return new CompiledInput(input, Convert(input, expression.Value), null);
            case "Variable":
                var id = VariableId(expression.Value);
                if (id is null || !document.Variables.TryGetValue(id, out var variable))
                    throw new WorkflowDefinitionException($"{input.Name} names a variable that does not exist.");
                return new CompiledInput(input, null, variable.Name);
            default:
                throw new WorkflowDefinitionException($"{input.Name} is an expression in {expression.Type}, which is not run here.");
        }
    }

    /// <summary>Studio writes a variable reference as a JSON string that holds the variable object; by hand it may be the object itself.</summary>
    private static string? VariableId(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                using var nested = JsonDocument.Parse(value.GetString()!);
                return nested.RootElement.ValueKind == JsonValueKind.Object ? VariableId(nested.RootElement) : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }

        return value.ValueKind == JsonValueKind.Object && value.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()
            : null;
    }

    /// <summary>Studio writes every literal as text, whatever its type.</summary>
    private static object? Convert(InputDescriptor input, JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            _ => value.GetRawText(),
        };
        if (text is null || (text.Length == 0 && input.Type != typeof(string))) return input.Default;

        object? converted = input.Type switch
        {
            var t when t == typeof(string) => text,
            var t when t == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            var t when t == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) ? i : null,
            var t when t == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l) ? l : null,
            var t when t == typeof(double) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : null,
            _ => throw new InvalidOperationException($"Input {input.Name} has the type {input.Type}, which no definition can give."),
        };
        if (converted is null)
            throw new WorkflowDefinitionException($"{input.Name} must be of type {input.Type.Name}, not '{text}'.");
        if (input.Check?.Invoke(converted) is { } complaint) throw new WorkflowDefinitionException(complaint);
        return converted;
    }

    private sealed record CompiledInput(InputDescriptor Input, object? Constant, string? Variable);
}
