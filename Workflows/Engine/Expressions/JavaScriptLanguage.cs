using System.Text.Json;
using Acornima.Ast;
using Darkroom.Queue;
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
    public string Name => "JavaScript";

    public string EditorLanguage => "javascript";

    public IExpression Parse(string source)
    {
        try
        {
            var script = JavaScriptEngine.PrepareScript(source, strict: false);
            // One operation on two of them may take hours, and nothing looks at the clock meanwhile.
            if (script.Program!.DescendantNodes().Any(node => node is BigIntLiteral)) throw new ExpressionException("numbers of unbounded size, such as 1n, are not run here.");
            return new ParsedScript(this, script);
        }
        catch (Exception e) when (e is ScriptPreparationException or JavaScriptException or Acornima.ParseErrorException)
        {
            throw new ExpressionException($"this is not JavaScript: {(e.InnerException ?? e).Message}", e);
        }
    }

    private sealed class ParsedScript(JavaScriptLanguage language, Prepared<Acornima.Ast.Script> script) : IExpression
    {
        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellation)
        {
            var bounds = language.Bounds;
            ExpressionException? refused = null;
            using var engine = new JavaScriptEngine(options => Bind(options, bounds, cancellation));
            try
            {
                Expose(engine, scope, bounds, e => refused ??= e);
                Restrain(engine, bounds.MaxTextLength, e => refused ??= e);
                var value = engine.Evaluate(script);
                if (refused is not null) throw refused;
                return ToJson(engine, value, bounds);
            }
            catch (Exception e) when (refused is not null && e is not ExpressionException)
            {
                throw refused;
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
        options.Constraints.MaxArraySize = (uint)bounds.MaxArrayLength;
        options.Constraints.RegexTimeout = TimeSpan.FromMilliseconds(bounds.TimeoutMilliseconds);
        options.Interop.Enabled = false;
    }

    private static void Expose(JavaScriptEngine engine, ExpressionScope scope, ExpressionOptions bounds, Action<ExpressionException> refuse)
    {
        engine.SetValue("getVariable", Function(engine, "getVariable", arguments => FromJson(engine, scope.Variable(Text(arguments, 0)))));
        engine.SetValue("getInput", Function(engine, "getInput", arguments =>
            FromJson(engine, scope.Inputs.TryGetValue(Text(arguments, 0), out var input) ? input : default)));
        engine.SetValue("getOutputFrom", Function(engine, "getOutputFrom", arguments =>
            FromJson(engine, scope.Output(Text(arguments, 0), arguments.Length > 1 && !arguments[1].IsUndefined() ? Text(arguments, 1) : null))));
        engine.SetValue("setVariable", Function(engine, "setVariable", arguments =>
        {
            try
            {
                scope.Write(Text(arguments, 0), arguments.Length > 1 ? ToJson(engine, arguments[1], bounds) : default);
            }
            catch (ExpressionException e)
            {
                // Beyond what a script can catch: the value that it would come to is not one that was asked for.
                refuse(e);
                throw new JavaScriptException(e.Message);
            }

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

    /// <summary>
    /// Methods that multiply texts do it in one step, between two looks at the memory used: they are asked before they begin. What
    /// takes its memory at once, or computes without end in one operation, is not there at all.
    /// </summary>
    private static void Restrain(JavaScriptEngine engine, int maxText, Action<ExpressionException> refuse)
    {
        foreach (var name in s_absent) engine.Global.Delete(name);
        var text = (ObjectInstance)engine.GetValue("String");
        var strings = (ObjectInstance)text.Get("prototype");
        Guard(strings, "repeat", (self, arguments) => Length(self) * Count(arguments), isText: true);
        Guard(strings, "padStart", (_, arguments) => Count(arguments), isText: true);
        Guard(strings, "padEnd", (_, arguments) => Count(arguments), isText: true);
        Guard(strings, "concat", (self, arguments) => Length(self) + arguments.Sum(Length), isText: true);
        Guard(strings, "replace", Product, isText: true);
        Guard(strings, "replaceAll", Product, isText: true);
        var arrays = engine.Intrinsics.Array.PrototypeObject;
        Guard(arrays, "join", (self, arguments) => Elements(self, arguments.Length > 0 ? Length(arguments[0]) : 1, 0));
        Guard(arrays, "toLocaleString", (self, _) => Elements(self, 1, 0));
        Guard(text, "raw", (_, arguments) => arguments.Sum(argument => Elements(argument, 1, 0)));
        Guard((ObjectInstance)engine.GetValue("JSON"), "stringify", (_, arguments) => arguments.Length > 0 ? Elements(arguments[0], 10, 0) : 0);

        void Guard(ObjectInstance owner, string name, Func<JsValue, JsValue[], double> estimate, bool isText = false)
        {
            var original = owner.Get(name);
            owner.FastSetDataProperty(name, new ClrFunction(engine, name, (self, arguments) =>
            {
                // What is no text yet is made one here, once, so that it cannot be short now and long later.
                if (isText)
                {
                    self = TypeConverter.ToString(self);
                    for (var i = name.StartsWith("re", StringComparison.Ordinal) ? 1 : 0; i < arguments.Length; i++)
                        if (arguments[i] is ObjectInstance and not Jint.Native.Function.Function) arguments[i] = TypeConverter.ToString(arguments[i]);
                }

                if (estimate(self, arguments) <= 4.0 * maxText) return engine.Call(original, self, arguments);
                var e = new ExpressionException($"it builds a text longer than {maxText:N0} characters.");
                refuse(e);
                throw new JavaScriptException(e.Message);
            }));
        }
    }

    private static readonly string[] s_absent =
    [
        "ArrayBuffer", "SharedArrayBuffer", "DataView", "Atomics", "BigInt", "BigInt64Array", "BigUint64Array", "Int8Array", "Uint8Array",
        "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float16Array", "Float32Array", "Float64Array", "Temporal",
    ];

    private static double Product(JsValue self, JsValue[] arguments) =>
        (Length(self) + 1) * Math.Max(1, arguments.Length > 1 ? Length(arguments[1]) : 1)
        / (arguments.Length > 0 && arguments[0].IsString() ? Math.Max(1, Length(arguments[0])) : 1);

    private static double Length(JsValue value) => value.IsString() ? value.AsString().Length : 0;

    private static double Count(JsValue[] arguments)
    {
        if (arguments.Length == 0 || arguments[0].IsUndefined()) return 0;
        var count = TypeConverter.ToNumber(arguments[0]);
        arguments[0] = count;
        return double.IsNaN(count) ? 0 : count;
    }

    /// <summary>How long the texts of an array or object are together, nested ones included. Shared ones count as often as they would be written.</summary>
    private static double Elements(JsValue value, double between, int depth)
    {
        if (value.IsString()) return Length(value);
        if (value is not ObjectInstance instance || depth > 32) return 8;
        var total = 0.0;
        foreach (var (key, property) in instance.GetOwnProperties())
        {
            total += Length(key.IsString() ? key : JsValue.Undefined) + between + (property.Value is { } element ? Elements(element, between, depth + 1) : 8);
            if (total > int.MaxValue) return total;
        }

        return total;
    }

    private static ClrFunction Function(JavaScriptEngine engine, string name, Func<JsValue[], JsValue> call) =>
        new(engine, name, (_, arguments) => call(arguments));

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

    private static JsonElement ToJson(JavaScriptEngine engine, JsValue value, ExpressionOptions bounds)
    {
        switch (value)
        {
            case var none when none.IsUndefined() || none.IsNull():
                return default;
            case var text when text.IsString():
                var written = OutcomeText.Clean(text.AsString());
                if (written.Length > bounds.MaxTextLength)
                    throw new ExpressionException($"it comes to more than {bounds.MaxTextLength:N0} characters.");
                return JsonSerializer.SerializeToElement(written);
            case var flag when flag.IsBoolean():
                return JsonSerializer.SerializeToElement(flag.AsBoolean());
            case var number when number.IsNumber():
                var n = number.AsNumber();
                if (!double.IsFinite(n)) throw new ExpressionException("it comes to no finite number.");
                return n == Math.Truncate(n) && Math.Abs(n) < 9e15 ? JsonSerializer.SerializeToElement((long)n) : JsonSerializer.SerializeToElement(n);
            default:
                var stringify = ((ObjectInstance)engine.GetValue("JSON")).Get("stringify");
                var json = engine.Call(stringify, value);
                if (!json.IsString()) throw new ExpressionException("it comes to a value that cannot be kept, such as a function.");
                var document = json.AsString();
                if (document.Length > bounds.MaxTextLength)
                    throw new ExpressionException($"it comes to more than {bounds.MaxTextLength:N0} characters.");
                return KeptJson.TryParse(document) ?? throw new ExpressionException("it comes to a value that cannot be kept: it is nested too deeply.");
        }
    }

    private static string Explain(Exception e, ExpressionOptions bounds) => e switch
    {
        StatementsCountOverflowException => $"it ran more than {bounds.MaxStatements:N0} statements.",
        MemoryLimitExceededException => $"it used more than {bounds.MaxMemoryBytes:N0} bytes of memory.",
        TimeoutException => $"it took longer than {bounds.TimeoutMilliseconds:N0} milliseconds.",
        RecursionDepthOverflowException => $"its calls go deeper than {bounds.MaxRecursion}.",
        JavaScriptException script => $"it failed: {script.Message}",
        JsonException => "it comes to a value that cannot be kept.",
        _ => $"it failed: {e.GetType().Name}",
    };
}
