using System.Numerics;
using System.Text.Json;
using Acornima.Ast;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Interop;
using JavaScriptEngine = Jint.Engine;
using JsonSerializer = System.Text.Json.JsonSerializer;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// JavaScript by Jint: an expression, or statements that end with <c>return</c>. Every evaluation has an engine of its own, with
/// nothing of .NET in it, so neither a value nor a changed prototype reaches the next one.
/// </summary>
internal sealed class JavaScriptLanguage(ExpressionOptions bounds) : IExpressionLanguage
{
    // A literal's pattern is made when the script is parsed, with a bound of its own.
    private readonly ScriptPreparationOptions _preparation =
        new() { ParsingOptions = new ScriptParsingOptions { AllowReturnOutsideFunction = true, RegexTimeout = TimeSpan.FromMilliseconds(bounds.TimeoutMilliseconds) } };

    public string Name => "JavaScript";

    public string EditorLanguage => "javascript";

    public IExpression Parse(string source)
    {
        var script = ScriptSource.Parse(source, _preparation);
        return new ParsedScript(this, script.Prepared, new ScriptMeter(script, bounds));
    }

    private sealed class ParsedScript(JavaScriptLanguage language, Prepared<Script> script, ScriptMeter meter) : IExpression
    {
        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellation)
        {
            var bounds = language.Bounds;
            using var engine = new JavaScriptEngine(options => Bind(options, bounds, cancellation));
            try
            {
                meter.Attach(engine);
                Expose(engine, scope, bounds);
                return ToJson(engine.Evaluate(script), bounds);
            }
            catch (Exception e) when (e is not ExpressionException && !(e is OperationCanceledException && cancellation.IsCancellationRequested))
            {
                throw new ExpressionException(Explain(e, bounds), e);
            }
        }
    }

    private ExpressionOptions Bounds => bounds;

    private static void Bind(Jint.Options options, ExpressionOptions bounds, CancellationToken cancellation)
    {
        options.LimitMemory(bounds.MaxMemoryBytes);
        options.TimeoutInterval(TimeSpan.FromMilliseconds(bounds.TimeoutMilliseconds));
        options.MaxStatements(bounds.MaxStatements);
        options.CancellationToken(cancellation);
        options.DisableStringCompilation();
        options.Constraints.MaxRecursionDepth = bounds.MaxRecursion;
        options.Constraints.StackOverflowGuard = true;
        // Arrays grow to the next power of two.
        options.Constraints.MaxArraySize = BitOperations.RoundUpToPowerOf2((uint)bounds.MaxArrayLength);
        options.Constraints.RegexTimeout = TimeSpan.FromMilliseconds(bounds.TimeoutMilliseconds);
        options.Interop.Enabled = false;
    }

    private static void Expose(JavaScriptEngine engine, ExpressionScope scope, ExpressionOptions bounds)
    {
        engine.SetValue("getVariable", Function(engine, "getVariable", arguments => FromJson(engine, scope.Variable(Text(arguments, 0)))));
        engine.SetValue("getInput", Function(engine, "getInput", arguments =>
            FromJson(engine, scope.Inputs.TryGetValue(Text(arguments, 0), out var input) ? input : default)));
        engine.SetValue("getOutputFrom", Function(engine, "getOutputFrom", arguments =>
            FromJson(engine, scope.Output(Text(arguments, 0), arguments.Length > 1 && !arguments[1].IsUndefined() ? Text(arguments, 1) : null))));
        engine.SetValue("setVariable", Function(engine, "setVariable", arguments =>
        {
            scope.Write(Text(arguments, 0), arguments.Length > 1 ? ToJson(arguments[1], bounds) : default);
            return JsValue.Undefined;
        }));
        engine.SetValue("variables", Snapshot(engine, scope));
        if (scope.Image is { } image) engine.SetValue("image", Facts(engine, image));
    }

    private static JsObject Snapshot(JavaScriptEngine engine, ExpressionScope scope)
    {
        var variables = new JsObject(engine);
        foreach (var name in scope.Variables.Keys) variables.Set(name, FromJson(engine, scope.Variable(name)));
        return variables;
    }

    private static JsObject Facts(JavaScriptEngine engine, IImageFacts image)
    {
        var facts = new JsObject(engine);
        facts.Set("url", image.Url);
        facts.Set("row", image.Row);
        facts.Set("position", image.Position);
        facts.Set("width", image.Width is { } width ? width : JsValue.Null);
        facts.Set("height", image.Height is { } height ? height : JsValue.Null);
        facts.Set("bytes", image.Bytes is { } bytes ? (double)bytes : JsValue.Null);
        facts.Set("format", image.Format is { } format ? format : JsValue.Null);
        return facts;
    }

    private static ClrFunction Function(JavaScriptEngine engine, string name, Func<JsValue[], JsValue> call) =>
        new(engine, name, (_, arguments) =>
    {
        engine.Constraints.Check();
        return call(arguments);
    });

    private static string Text(JsValue[] arguments, int index) => arguments.Length > index ? TypeConverter.ToString(arguments[index]) : "";

    private static JsValue FromJson(JavaScriptEngine engine, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined => JsValue.Undefined,
        JsonValueKind.Null => JsValue.Null,
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => JsBoolean.True,
        JsonValueKind.False => JsBoolean.False,
        JsonValueKind.Number => value.GetDouble(),
        _ => new JsonParser(engine).Parse(value.GetRawText()),
    };

    private static JsonElement ToJson(JsValue value, ExpressionOptions bounds)
    {
        if (value.IsUndefined() || value.IsNull()) return default;
        if (value.IsNumber() && !double.IsFinite(value.AsNumber())) throw new ExpressionException("it comes to no finite number.");
        var json = ScriptJson.Write(value, bounds) ?? throw new ExpressionException("it comes to a value that cannot be kept, such as a function.");
        if (json.Length > bounds.MaxTextLength) throw new ExpressionException($"it comes to more than {bounds.MaxTextLength:N0} characters.");
        return JsonElement.Parse(json);
    }

    private static string Explain(Exception e, ExpressionOptions bounds) => e switch
    {
        StatementsCountOverflowException => $"it ran more than {bounds.MaxStatements:N0} statements.",
        MemoryLimitExceededException => $"it used more than {bounds.MaxMemoryBytes:N0} bytes of memory.",
        TimeoutException => $"it took longer than {bounds.TimeoutMilliseconds:N0} milliseconds.",
        RecursionDepthOverflowException => $"its calls go deeper than {bounds.MaxRecursion}.",
        JavaScriptException script => $"it failed: {(script.Message.Length > 200 ? script.Message[..200] : script.Message)}",
        JsonException => "it comes to a value that cannot be kept.",
        _ => $"it failed: {e.GetType().Name}",
    };
}
