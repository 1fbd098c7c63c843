using System.Text;
using System.Text.Json;
using Jint;
using Jint.Native;
using Jint.Runtime;

namespace Darkroom.Engine.Expressions;

/// <summary>A variable or an input of a workflow, as scripts see it.</summary>
/// <param name="Type">Its type in TypeScript.</param>
internal sealed record ScriptMember(string Name, string Type = "any");

/// <summary>A global name in scripts: its declaration for the editor, and its value when a script runs.</summary>
/// <param name="Declaration">TypeScript, from after <c>declare</c>.</param>
internal sealed record ScriptGlobal(string Name, string Declaration, string Description, Func<ScriptContext, JsValue> Make)
{
    public static ScriptGlobal Function(string name, string signature, string description, Func<ScriptContext, JsValue[], JsValue> call) =>
        new(name, $"function {name}{signature}", description, context => context.Function(name, arguments => call(context, arguments)));
}

/// <summary>All global names besides those of JavaScript itself, modelled on Elsa's. The engine and Studio's editor both read this list.</summary>
internal static class ScriptGlobals
{
    /// <summary>Facts about an image, by name: TypeScript type and value.</summary>
    public static readonly IReadOnlyDictionary<string, (string Type, Func<IImageFacts, JsValue> Read)> ImageFacts =
        new Dictionary<string, (string, Func<IImageFacts, JsValue>)>(StringComparer.Ordinal)
        {
            ["url"] = ("string", image => image.Url),
            ["row"] = ("number", image => image.Row),
            ["position"] = ("number", image => image.Position),
            ["width"] = ("number | null", image => Number(image.Width)),
            ["height"] = ("number | null", image => Number(image.Height)),
            ["bytes"] = ("number | null", image => Number(image.Bytes)),
            ["format"] = ("string | null", image => image.Format is { } format ? format : JsValue.Null),
        };

    /// <summary>The globals of every workflow.</summary>
    public static IReadOnlyList<ScriptGlobal> Common { get; } =
    [
        ScriptGlobal.Function("getVariable", "(name: string): any", "The value of a variable.",
            (context, arguments) => context.ReadVariable(Text(arguments, 0))),
        ScriptGlobal.Function("setVariable", "(name: string, value: any): void", "Sets a variable; not in the body of a fan-out.", (context, arguments) =>
        {
            context.WriteVariable(Text(arguments, 0), At(arguments, 1));
            return JsValue.Undefined;
        }),
        ScriptGlobal.Function("getInput", "(name: string): any", "The value of an input of the workflow.",
            (context, arguments) => context.ReadInput(Text(arguments, 0))),
        ScriptGlobal.Function("getOutputFrom", "(activity: string, output?: string): any", "An output of an activity that has completed, by the activity's name or id; its first one if none is named.",
            (context, arguments) => context.ReadOutput(Text(arguments, 0), At(arguments, 1).IsUndefined() ? null : Text(arguments, 1))),
        ScriptGlobal.Function("getCorrelationId", "(): string", "The id of the request.", (context, _) => context.ReadInput("RequestId")),
        ScriptGlobal.Function("newGuid", "(): string", "A new random id.", (context, _) => context.NewGuid()),
        ScriptGlobal.Function("newGuidString", "(): string", "A new random id.", (context, _) => context.NewGuid()),
        ScriptGlobal.Function("isNullOrEmpty", "(value: string | null | undefined): boolean", "True for null, undefined or an empty text.",
            (_, arguments) => IsNone(arguments) || Text(arguments, 0).Length == 0),
        ScriptGlobal.Function("isNullOrWhiteSpace", "(value: string | null | undefined): boolean", "True for null, undefined, an empty or a blank text.",
            (_, arguments) => IsNone(arguments) || string.IsNullOrWhiteSpace(Text(arguments, 0))),
        ScriptGlobal.Function("toJson", "(value: any): string", "The value as JSON.",
            (context, arguments) => context.Stringify(At(arguments, 0)) is { } json ? json : JsValue.Undefined),
        new("image", $"const image: {{ {string.Join("; ", ImageFacts.Select(fact => $"readonly {fact.Key}: {fact.Value.Type}"))} }} | undefined",
            "The image that the body runs on; undefined outside a body. Sizes are null until it has been downloaded.",
            context => context.Scope.Image is { } image ? context.Facts(image) : JsValue.Undefined),
    ];

    /// <summary>All globals of a workflow with these variables and inputs.</summary>
    public static IEnumerable<ScriptGlobal> For(IReadOnlyCollection<ScriptMember> variables, IReadOnlyCollection<ScriptMember> inputs) =>
        Common.Concat(Records(variables, inputs)).Concat(Accessors(variables, inputs)).DistinctBy(global => global.Name);

    /// <summary>The objects whose members are the variables and inputs.</summary>
    public static IEnumerable<ScriptGlobal> Records(IEnumerable<ScriptMember> variables, IEnumerable<ScriptMember> inputs) =>
    [
        new("variables", $"const variables: {Members(variables, "")}", "The workflow's variables; they are set by assignment, but not in the body of a fan-out.", context => context.Variables),
        new("input", $"const input: {Members(inputs, "readonly ")}", "The workflow's inputs.", context => context.Inputs()),
    ];

    /// <summary>A function for each variable and input: getCount(), setCount(5).</summary>
    public static IEnumerable<ScriptGlobal> Accessors(IEnumerable<ScriptMember> variables, IEnumerable<ScriptMember> inputs)
    {
        // An input hides a variable of the same name, as in Elsa.
        foreach (var input in inputs.Where(input => IsOrdinary(input.Name)))
            yield return ScriptGlobal.Function($"get{Capitalised(input.Name)}", $"(): {input.Type}", $"The input {input.Name}.", (context, _) => context.ReadInput(input.Name));
        foreach (var variable in variables.Where(variable => IsOrdinary(variable.Name)))
        {
            yield return ScriptGlobal.Function($"get{Capitalised(variable.Name)}", $"(): {variable.Type}", $"The variable {variable.Name}.",
                (context, _) => context.ReadVariable(variable.Name));
            yield return ScriptGlobal.Function($"set{Capitalised(variable.Name)}", $"(value: {variable.Type}): void", $"Sets the variable {variable.Name}; not in the body of a fan-out.", (context, arguments) =>
            {
                context.WriteVariable(variable.Name, At(arguments, 0));
                return JsValue.Undefined;
            });
        }
    }

    /// <summary>The globals as TypeScript declarations.</summary>
    public static string Declare(IReadOnlyCollection<ScriptMember> variables, IReadOnlyCollection<ScriptMember> inputs)
    {
        var text = new StringBuilder();
        foreach (var global in For(variables, inputs))
            text.Append($"/** {global.Description} */\ndeclare {global.Declaration};\n");
        return text.ToString();
    }

    /// <summary>Whether a name can be part of another in a script; the rest are only available through getVariable and getInput.</summary>
    public static bool IsOrdinary(string name) => name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c == '_');

    private static string Members(IEnumerable<ScriptMember> members, string access) =>
        $"{{ {string.Concat(members.Where(member => IsOrdinary(member.Name)).Select(member => $"{access}{JsonSerializer.Serialize(member.Name)}: {member.Type}; "))}}}";

    private static string Capitalised(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    private static JsValue Number(long? number) => number is { } known ? (double)known : JsValue.Null;

    private static JsValue At(JsValue[] arguments, int index) => arguments.Length > index ? arguments[index] : JsValue.Undefined;

    private static string Text(JsValue[] arguments, int index) => arguments.Length > index ? TypeConverter.ToString(arguments[index]) : "";

    private static bool IsNone(JsValue[] arguments) => At(arguments, 0).IsUndefined() || At(arguments, 0).IsNull();
}
