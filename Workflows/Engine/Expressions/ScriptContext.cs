using System.Text.Json;
using Darkroom.Data;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Runtime;
using Jint.Runtime.Interop;
using JavaScriptEngine = Jint.Engine;

namespace Darkroom.Engine.Expressions;

/// <summary>One evaluation of a script: looks up the names that it uses, and receives what it sets.</summary>
internal sealed class ScriptContext(JavaScriptEngine engine, ExpressionScope scope, ExpressionOptions bounds, Random random)
{
    private ScriptRecord? _variables;

    public ExpressionScope Scope => scope;

    public ScriptRecord Variables => _variables ??=
        new ScriptRecord(engine, scope.Variables.Keys.Where(ScriptGlobals.IsOrdinary), ReadVariable, WriteVariable);

    public ScriptRecord Inputs() => new(engine, scope.Inputs.Keys.Where(ScriptGlobals.IsOrdinary), ReadInput,
        (name, _) => throw new ExpressionException($"{name} cannot be set: inputs are what the workflow was given."));

    public ScriptRecord Facts(IImageFacts image) => new(engine, ScriptGlobals.ImageFacts.Keys, name => ScriptGlobals.ImageFacts[name].Read(image),
        (name, _) => throw new ExpressionException($"image.{name} cannot be set."));

    public JsValue ReadVariable(string name) => FromJson(scope.Variable(name));

    public JsValue ReadInput(string name) => FromJson(scope.Inputs.TryGetValue(name, out var input) ? input : default);

    public JsValue ReadOutput(string activity, string? output) => FromJson(scope.Output(activity, output));

    public void WriteVariable(string name, JsValue value)
    {
        scope.Write(name, ToJson(value));
        _variables?.Forget(name);
    }

    /// <summary>Saves what the script changed in place: an element added to a list, a member set on an object.</summary>
    public void SaveChanges()
    {
        if (_variables is null || scope.Writes is null)
            return;
        foreach (var (name, value) in _variables.Touched.Where(read => read.Value.IsObject()).ToList())
            if (ToJson(value) is var now && !JsonElement.DeepEquals(now, scope.Variable(name)))
                scope.Write(name, now);
    }

    public string NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    public string? Stringify(JsValue value) => ScriptJson.Write(value, bounds);

    /// <summary>The value as it is stored; undefined for none.</summary>
    /// <exception cref="ExpressionException">It cannot be stored.</exception>
    public JsonElement ToJson(JsValue value)
    {
        if (value.IsUndefined() || value.IsNull())
            return default;
        if (value.IsNumber() && !double.IsFinite(value.AsNumber()))
            throw new ExpressionException("its result is not a finite number.");
        var json = ScriptJson.Write(value, bounds) ?? throw new ExpressionException("it returns a value that cannot be kept, such as a function.");
        if (json.Length > bounds.MaxTextLength)
            throw new ExpressionException($"it comes to more than {bounds.MaxTextLength:N0} characters.");
        return StorableJson.TryParse(json) ?? throw new ExpressionException("it returns a value that cannot be kept: it is nested too deeply.");
    }

    /// <summary>A function for scripts. A call counts as a statement, because a list can call it for each element.</summary>
    public JsValue Function(string name, Func<JsValue[], JsValue> call) => new ClrFunction(engine, name, (_, arguments) =>
    {
        engine.Constraints.Check();
        return call(arguments);
    });

    private JsValue FromJson(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined => JsValue.Undefined,
        JsonValueKind.Null => JsValue.Null,
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => JsBoolean.True,
        JsonValueKind.False => JsBoolean.False,
        JsonValueKind.Number => value.GetDouble(),
        _ => new JsonParser(engine).Parse(value.GetRawText()),
    };
}
