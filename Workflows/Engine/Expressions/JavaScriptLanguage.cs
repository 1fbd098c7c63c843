using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Acornima.Ast;
using Jint;
using Jint.Constraints;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using JavaScriptEngine = Jint.Engine;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// JavaScript by Jint: an expression, or statements that end with <c>return</c>. Each evaluation has its own engine, without
/// access to .NET, so neither values nor changed prototypes leak into the next one.
/// </summary>
internal sealed class JavaScriptLanguage : IExpressionLanguage
{
    private static readonly CancellationTokenSource Never = new();

    private readonly ExpressionOptions _bounds;
    private readonly Random _random;
    private readonly ScriptPreparationOptions _preparation;

    // Shared by all engines: each creates its own constraints from it.
    private readonly Jint.Options _engine;

    public JavaScriptLanguage(ExpressionOptions bounds, TimeProvider time, Random random)
    {
        (_bounds, _random) = (bounds, random);
        _engine = EngineOptions(bounds, new ScriptClock(time));
        // A regular expression literal is compiled when the script is parsed, with a limit of its own.
        _preparation = new ScriptPreparationOptions
        {
            ParsingOptions = new ScriptParsingOptions { AllowReturnOutsideFunction = true, RegexTimeout = bounds.Timeout },
        };
    }

    public string Name => "JavaScript";

    public string EditorLanguage => "javascript";

    public IExpression Parse(string source) => new ParsedScript(this, ScriptSource.Parse(source, _preparation));

    private sealed class ParsedScript(JavaScriptLanguage language, ScriptSource script) : IExpression
    {
        private readonly Prepared<Script> _prepared = script.Prepared;
        private readonly ScriptMeter _meter = new(script, language._bounds);
        private readonly ScriptGlobal[] _globals =
            [.. ScriptGlobals.Common.Concat(ScriptGlobals.Records([], [])).Where(global => script.MayReach(global.Name))];

        // Variables differ from one workflow to the next; names that could be their accessors are looked up at run time.
        private readonly bool _hasAccessors = script.MayReachAny(name => name.StartsWith("get", StringComparison.Ordinal) || name.StartsWith("set", StringComparison.Ordinal));
        private readonly bool _isRandom = script.MayReach("random");

        public JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken)
        {
            using var engine = new JavaScriptEngine(language._engine);
            engine.Constraints.Find<CancellationConstraint>()!.Reset(cancellationToken);
            try
            {
                var context = new ScriptContext(engine, scope, language._bounds, language._random);
                Expose(engine, context);
                _meter.Attach(engine);
                var value = context.ToJson(engine.Evaluate(_prepared));
                context.SaveChanges();
                return value;
            }
            catch (ExecutionCanceledException e)
            {
                // A cancelled evaluation is not a failed expression.
                throw new OperationCanceledException(e.Message, e, cancellationToken);
            }
            catch (Exception e) when (e is not ExpressionException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
            {
                throw new ExpressionException(Explain(e, language._bounds), e);
            }
        }

        private static IEnumerable<ScriptMember> Members(IReadOnlyDictionary<string, JsonElement> values) => values.Keys.Select(name => new ScriptMember(name));

        private void Expose(JavaScriptEngine engine, ScriptContext context)
        {
            if (_hasAccessors)
                foreach (var accessor in ScriptGlobals.Accessors(Members(context.Scope.Variables), Members(context.Scope.Inputs)).Reverse())
                    if (script.MayReach(accessor.Name))
                        engine.SetValue(accessor.Name, accessor.Make(context));
            foreach (var global in _globals)
                engine.SetValue(global.Name, global.Make(context));
            if (_isRandom)
                ((ObjectInstance)engine.GetValue("Math")).FastSetDataProperty("random", context.Function("random", _ => language._random.NextDouble()));
        }
    }

    private static Jint.Options EngineOptions(ExpressionOptions bounds, ScriptClock clock)
    {
        var options = new Jint.Options();
        options.LimitMemory(bounds.MaxMemoryBytes);
        options.TimeoutInterval(bounds.Timeout);
        options.MaxStatements(bounds.MaxStatements);
        // Each engine replaces it with the token of its evaluation.
        options.CancellationToken(Never.Token);
        options.DisableStringCompilation();
        options.Constraints.MaxRecursionDepth = bounds.MaxRecursion;
        options.Constraints.StackOverflowGuard = true;
        // Arrays grow to the next power of two.
        options.Constraints.MaxArraySize = BitOperations.RoundUpToPowerOf2((uint)bounds.MaxArrayLength);
        options.Constraints.RegexTimeout = bounds.Timeout;
        options.Interop.Enabled = false;
        options.Culture = CultureInfo.InvariantCulture;
        options.TimeSystem = clock;
        return options;
    }

    private static string Explain(Exception e, ExpressionOptions bounds) => e switch
    {
        StatementsCountOverflowException => $"it ran more than {bounds.MaxStatements:N0} statements.",
        MemoryLimitExceededException => $"it used more than {bounds.MaxMemoryBytes:N0} bytes of memory.",
        TimeoutException => $"it took longer than {bounds.Timeout.TotalMilliseconds:N0} milliseconds.",
        RecursionDepthOverflowException => $"its calls go deeper than {bounds.MaxRecursion}.",
        JavaScriptException script => $"it failed: {(script.Message.Length > 200 ? script.Message[..200] : script.Message)}",
        JsonException => "it returns a value that cannot be kept.",
        _ => $"it failed: {e.GetType().Name}",
    };
}

/// <summary>The time that scripts see: the engine's, in UTC whatever the worker's time zone.</summary>
internal sealed class ScriptClock(TimeProvider time) : DefaultTimeSystem(TimeZoneInfo.Utc, CultureInfo.InvariantCulture)
{
    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();
}
