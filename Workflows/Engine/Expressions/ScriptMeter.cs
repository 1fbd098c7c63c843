using System.Diagnostics;
using System.Runtime.CompilerServices;
using Jint;
using Jint.Constraints;
using Jint.Native;
using Jint.Native.Function;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Interop;
using JavaScriptEngine = Jint.Engine;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// Limits one evaluation where the interpreter does not: inside a statement. Every built-in function whose cost depends on its
/// arguments counts as a statement and is measured before it runs, however it is called; values that make a text
/// grow pass a checkpoint. Built-ins that can run forever in one operation are removed.
/// </summary>
internal sealed class ScriptMeter
{
    private static readonly string[] Owners = ["Array", "Date", "Function", "JSON", "Map", "Math", "Number", "Object", "RegExp", "Set", "String"];

    private static readonly string[] Functions = ["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "isFinite", "isNaN", "parseFloat", "parseInt", "unescape"];

    private static readonly HashSet<string> Allowed =
    [
        .. Owners, .. Functions, "Boolean", "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError",
        "Infinity", "NaN", "globalThis", "undefined",
    ];

    // Their cost is only known when they end: an iterator may never end.
    private static readonly HashSet<string> Unbounded =
    [
        "difference", "fromAsync", "getOwnPropertySymbols", "groupBy", "intersection", "isDisjointFrom", "isSubsetOf", "isSupersetOf", "raw",
        "symmetricDifference", "union",
    ];

    private static readonly string[] Iterating = ["entries", "keys", "matchAll", "values"];

    private static readonly (string Name, string Owner, bool Prototype)[] Members;
    private static readonly ILookup<string, (string Name, string Owner, bool Prototype)> MembersByName;
    private static readonly string[] Absent;

    // Read from a realm, not listed: what a later version of the interpreter adds is metered, or removed, as well.
    static ScriptMeter()
    {
        using var engine = new JavaScriptEngine();
        var members = new List<(string, string, bool)>();
        foreach (var owner in Owners)
        {
            AddMembers(owner, prototype: false);
            if (owner is not ("JSON" or "Math"))
                AddMembers(owner, prototype: true);
        }

        Members = [.. members];
        MembersByName = Members.ToLookup(member => member.Name, StringComparer.Ordinal);
        Absent = [.. engine.Global.GetOwnPropertyKeys(Types.String).Select(key => key.AsString()).Where(name => !Allowed.Contains(name))];

        void AddMembers(string owner, bool prototype)
        {
            var instance = Owner(engine, owner, prototype);
            foreach (var key in instance.GetOwnPropertyKeys(Types.String))
                if (key.AsString() is not "constructor" and var name && instance.GetOwnProperty(key).Value is Function)
                    members.Add((name, owner, prototype));
        }
    }

    private readonly ExpressionOptions _bounds;
    private readonly ScriptSource _script;
    private readonly (string Name, string Owner, bool Prototype)[] _members;
    private readonly string[] _functions;
    private readonly string[] _absent;
    private readonly bool _iterates;
    private readonly bool _isOpen;

    /// <summary>Decides once what engines need to run this script: a script cannot use what it cannot name.</summary>
    public ScriptMeter(ScriptSource script, ExpressionOptions bounds)
    {
        (_script, _bounds) = (script, bounds);
        // A list can become a text without the script naming a function.
        _members = [.. Members.Where(member => script.MayName(member.Name) || member is ("join" or "toString", "Array", true))];
        _functions = [.. Functions.Where(script.MayReach)];
        _absent = [.. Absent.Where(script.MayReach)];
        _iterates = script.Iterates || Iterating.Any(script.MayName);
        _isOpen = script.ComputesNames;
    }

    /// <summary>Throws if a text or a list may not be this long.</summary>
    public static void Require(double length, ExpressionOptions bounds)
    {
        // Intermediate texts may be longer than the result.
        if (!(length <= 4.0 * bounds.MaxTextLength))
            throw new ExpressionException($"it builds a text longer than {bounds.MaxTextLength:N0} characters.");
    }

    /// <summary>Prepares a new engine.</summary>
    public void Attach(JavaScriptEngine engine)
    {
        if (_iterates)
            Empty(Owner(engine, "Iterator", prototype: true));
        foreach (var (name, owner, prototype) in _members)
            Replace(engine, Owner(engine, owner, prototype), name, owner);
        foreach (var name in _functions)
            Replace(engine, engine.Global, name, "");
        var since = Stopwatch.GetTimestamp();
        var memory = engine.Constraints.Find<MemoryLimitConstraint>()!;
        var checkpoint = new ClrFunction(engine, _script.Checkpoint, (_, arguments) =>
        {
            memory.Check();
            if (Stopwatch.GetElapsedTime(since) > _bounds.Timeout)
                throw new TimeoutException();
            Require(Size(arguments[0], 1, 0), _bounds);
            return arguments[0];
        });
        engine.Global.FastSetProperty(_script.Checkpoint, new(checkpoint, writable: false, enumerable: false, configurable: false));
        if (_isOpen)
            AttachNames(engine);
        foreach (var name in _absent)
            engine.Global.Delete(name);
    }

    /// <summary>Meters the members whose names the script computes, as it computes them.</summary>
    private void AttachNames(JavaScriptEngine engine)
    {
        // Looked up now, because the script may replace them later.
        var owners = new Dictionary<(string, bool), ObjectInstance>();
        foreach (var (_, owner, prototype) in Members)
            if (!owners.ContainsKey((owner, prototype)))
                owners[(owner, prototype)] = Owner(engine, owner, prototype);
        var iterators = Owner(engine, "Iterator", prototype: true);
        var metered = new HashSet<string>(StringComparer.Ordinal);
        var checkpoint = new ClrFunction(engine, _script.NameCheckpoint, (_, arguments) =>
        {
            if (arguments[0].IsNumber())
                return arguments[0];
            var name = TypeConverter.ToString(arguments[0]);
            if (!_script.MayName(name) && metered.Add(name))
            {
                if (Iterating.Contains(name))
                    Empty(iterators);
                foreach (var member in MembersByName[name])
                    if (owners[(member.Owner, member.Prototype)] is var owner && owner.Get(name) is Function)
                        Replace(engine, owner, name, member.Owner);
            }

            return name;
        });
        engine.Global.FastSetProperty(_script.NameCheckpoint, new(checkpoint, writable: false, enumerable: false, configurable: false));
    }

    private void Replace(JavaScriptEngine engine, ObjectInstance owner, string name, string of)
    {
        if (Unbounded.Contains(name))
        {
            owner.Delete(name);
            return;
        }

        var original = owner.Get(name);
        owner.FastSetDataProperty(name, new ClrFunction(engine, name, (self, arguments) =>
        {
            engine.Constraints.Check();
            if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
                throw new ExpressionException("its calls go too deep.");
            Require(arguments.Sum(Length) + Length(self), _bounds);
            if (IsUnmetered(self) || arguments.Any(IsUnmetered))
                Require(arguments.Append(self).Sum(value => Size(value, 1, 0)), _bounds);
            return Intercept(of, name, ref self, arguments) ?? engine.Call(original, self, arguments);
        }));
    }

    /// <summary>Throws if a call would multiply texts. Returns a result where the interpreter's own has no limit; else null.</summary>
    private JsValue? Intercept(string owner, string name, ref JsValue self, JsValue[] arguments)
    {
        switch (owner, name)
        {
            case ("String", "repeat"):
                Require(Length(self = AsText(self)) * Count(arguments), _bounds);
                break;
            case ("String", "padStart" or "padEnd"):
                Require(Count(arguments), _bounds);
                break;
            case ("String", "replace" or "replaceAll"):
                self = AsText(self);
                if (arguments is [_, ObjectInstance and not Function, ..])
                    arguments[1] = AsText(arguments[1]);
                Require(Replaced(self, arguments), _bounds);
                break;
            // Whatever is bound may be used once per element of a list.
            case ("Function", "bind") when IsUnmetered(self):
                Require(arguments.Sum(Length) * _bounds.MaxArrayLength, _bounds);
                break;
            case ("Array", "join"):
                if (arguments is [ObjectInstance, ..])
                    arguments[0] = AsText(arguments[0]);
                Require(Size(self, arguments is [var between, ..] ? Length(between) : 1, 0), _bounds);
                break;
            case ("Array", "flat" or "toLocaleString" or "toString"):
                Require(Size(self, 1, 0), _bounds);
                break;
            case ("JSON", "parse") when arguments is [_, Function, ..]:
                throw new ExpressionException("JSON.parse takes no function here.");
            case ("JSON", "stringify") when arguments is [_, Function, ..]:
                throw new ExpressionException("JSON.stringify takes no function here.");
            case ("JSON", "stringify"):
                var only = arguments is [_, JsArray names, ..] ? names.Select(TypeConverter.ToString).ToHashSet(StringComparer.Ordinal) : null;
                return ScriptJson.Write(arguments.Length > 0 ? arguments[0] : JsValue.Undefined, _bounds, only, Indent(arguments)) is { } json ? json : JsValue.Undefined;
        }

        return null;
    }

    private static ObjectInstance Owner(JavaScriptEngine engine, string name, bool prototype)
    {
        var owner = (ObjectInstance)engine.Global.Get(name);
        return prototype ? (ObjectInstance)owner.Get("prototype") : owner;
    }

    private static void Empty(ObjectInstance owner)
    {
        foreach (var key in owner.GetOwnPropertyKeys(Types.String))
            owner.Delete(key);
    }

    // Converted to text once, so that it cannot be short when it is measured and long when it is used.
    private static JsValue AsText(JsValue value) => value.IsUndefined() || value.IsNull() ? value : TypeConverter.ToString(value);

    /// <summary>True for built-in functions that take one value and a short time, such as Number.</summary>
    private static bool IsUnmetered(JsValue value) => value is BindFunction or (Function and not ScriptFunction and not ClrFunction);

    private static double Length(JsValue value) => value switch
    {
        JsString text => text.Length,
        JsArray array => array.Length,
        _ => 0,
    };

    private static double Count(JsValue[] arguments)
    {
        if (arguments is not [var count, ..] || count.IsUndefined())
            return 0;
        var number = TypeConverter.ToNumber(count);
        arguments[0] = number;
        return double.IsNaN(number) ? 0 : number;
    }

    private static int Indent(JsValue[] arguments) => arguments is [_, _, var space, ..]
        ? (int)Math.Clamp(space.IsNumber() ? space.AsNumber() : Length(space), 0, 10)
        : 0;

    /// <summary>How long a text may be after replacement; $ in a replacement may stand for the whole text.</summary>
    private static double Replaced(JsValue self, JsValue[] arguments)
    {
        var part = arguments is [JsString sought, ..] ? Math.Max(1, sought.Length) : 1;
        if (arguments is not [_, var by, ..] || !by.IsString())
            return Length(self);
        return Length(self) + ((Length(self) / part) + 1) * (Length(by) + by.AsString().Count(c => c == '$') * Length(self));
    }

    /// <summary>Total length of the texts of a list or object, nested ones included. Shared ones count each time they would be written.</summary>
    private double Size(JsValue value, double between, int depth)
    {
        if (value.IsString())
            return Length(value);
        if (value is not JsArray array)
            return 8;
        if (depth > _bounds.MaxRecursion)
            return double.PositiveInfinity;
        var total = 0.0;
        for (uint i = 0; i < array.Length && total <= 4.0 * _bounds.MaxTextLength; i++)
            total += between + 1 + Size(array[i], between, depth + 1);
        return total;
    }
}
