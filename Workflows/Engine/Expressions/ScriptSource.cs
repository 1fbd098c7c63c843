using System.Text;
using Acornima.Ast;
using Jint;
using Jint.Runtime;
using JavaScriptEngine = Jint.Engine;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// A script as it runs: as written, with a checkpoint around each value that makes a text or a list grow. The interpreter
/// checks usage between statements and at the start of functions; one statement may contain thousands of such values.
/// </summary>
internal sealed class ScriptSource
{
    private readonly HashSet<string> _mentions = new(StringComparer.Ordinal);
    private readonly bool _describesMembers;
    private readonly bool _computesGlobals;

    // A rest element copies the remaining items each time its statement runs.
    private const int MaxRestElements = 32;

    // Reading a long text as a number takes milliseconds: a short script cannot do it often enough in one statement.
    private const int ShortScript = 1_000;

    private ScriptSource(Script program)
    {
        if (program.DescendantNodes().Count(node => node is RestElement) > MaxRestElements)
            throw new ExpressionException($"a script may have {MaxRestElements} rest elements, such as ...others.");
        foreach (var node in program.DescendantNodesAndSelf())
        {
            if (Refusal(node) is { } refusal)
                throw new ExpressionException(refusal);
            if (node is Identifier identifier)
                _mentions.Add(identifier.Name);
            else if (node is StringLiteral literal)
                _mentions.Add(literal.Value);
            Iterates |= node is IFunction { Generator: true };
            ComputesNames |= ComputedName(node) is not null;
            _computesGlobals |= node is ThisExpression or Identifier { Name: "globalThis" };
        }

        // A property descriptor exposes its member under another name.
        _describesMembers = _mentions.Any(name => name.StartsWith("getOwnPropertyDescriptor", StringComparison.Ordinal));
        _computesGlobals &= ComputesNames || _describesMembers;
        while (_mentions.Contains(Checkpoint) || _mentions.Contains(NameCheckpoint))
            Checkpoint += "_";
    }

    /// <summary>The name of the function that computed names pass through.</summary>
    public string NameCheckpoint => Checkpoint + "Name";

    /// <summary>The name of the function that values pass through; the script does not use this name.</summary>
    public string Checkpoint { get; } = "checkpoint";

    /// <summary>Whether it creates iterators with its own functions.</summary>
    public bool Iterates { get; }

    /// <summary>The script, ready to run on any engine.</summary>
    public Prepared<Script> Prepared { get; private set; }

    /// <exception cref="ExpressionException">The source is not JavaScript, or uses something unsupported.</exception>
    public static ScriptSource Parse(string source, ScriptPreparationOptions options)
    {
        try
        {
            var program = JavaScriptEngine.PrepareScript(source, options: options).Program!;
            var script = new ScriptSource(program);
            script.Prepared = JavaScriptEngine.PrepareScript(script.Mark(source, program), options: options);
            return script;
        }
        catch (Exception e) when (e is ScriptPreparationException or JavaScriptException or Acornima.ParseErrorException)
        {
            throw new ExpressionException($"this is not JavaScript: {(e.InnerException ?? e).Message}", e);
        }
    }

    /// <summary>Whether it accesses members by names that are only known at run time.</summary>
    public bool ComputesNames { get; }

    /// <summary>Whether the script may access a global of this name.</summary>
    public bool MayReach(string name) => MayReachAny(name.Equals);

    /// <summary>Whether it may access a global with such a name.</summary>
    public bool MayReachAny(Predicate<string> kind) => _computesGlobals || _mentions.Any(name => kind(name));

    /// <summary>Whether it may access a member of this name without computing the name.</summary>
    public bool MayName(string name) => _describesMembers || _mentions.Contains(name);

    private static Expression? ComputedName(Node node) => node switch
    {
        MemberExpression { Computed: true, Property: not Literal } member => member.Property,
        Property { Computed: true, Key: not Literal } property => property.Key,
        _ => null,
    };

    private static string? Refusal(Node node) => node switch
    {
        // One operation on two of them may take hours, and no limit is checked in between.
        BigIntLiteral => "numbers of unbounded size, such as 1n, are not run here.",
        WithStatement => "with is not run here.",
        IFunction { Async: true } or AwaitExpression => "there is nothing to wait for here: async and await are not run.",
        _ => null,
    };

    private string Mark(string source, Script program)
    {
        var (opens, names, closes) = (new int[source.Length + 1], new bool[source.Length + 1], new int[source.Length + 1]);
        var empty = new HashSet<int>();
        var thorough = source.Length > ShortScript;
        foreach (var node in program.DescendantNodes())
        {
            if (ComputedName(node) is { } name)
            {
                names[name.Start] = true;
                closes[name.End]++;
            }

            switch (node)
            {
                case NonLogicalBinaryExpression { Operator: Acornima.Operator.Addition } sum:
                    Pass(sum.Left);
                    Pass(sum.Right);
                    break;
                case AssignmentExpression { Operator: Acornima.Operator.AdditionAssignment } growth:
                    Pass(growth.Right);
                    break;
                case TemplateLiteral template:
                    foreach (var part in template.Expressions)
                        Pass(part);
                    break;
                case SpreadElement spread:
                    Pass(spread.Argument);
                    break;
                case NonLogicalBinaryExpression operation when thorough:
                    Pass(operation.Left);
                    Pass(operation.Right);
                    break;
                case NonUpdateUnaryExpression { Operator: not (Acornima.Operator.TypeOf or Acornima.Operator.Delete) } operation when thorough:
                    Pass(operation.Argument);
                    break;
                case AssignmentExpression { Operator: not Acornima.Operator.Assignment } operation when thorough:
                    Pass(operation.Right);
                    break;
                case CallExpression call when thorough:
                    foreach (var argument in call.Arguments)
                        Pass(argument);
                    break;
                // A function without statements is never checked, whatever its parameters compute.
                case FunctionBody { Body.Count: 0 } body:
                    empty.Add(body.End - 1);
                    break;
            }
        }

        var marked = new StringBuilder(source.Length * 2);
        for (var at = 0; at <= source.Length; at++)
        {
            marked.Insert(marked.Length, "))", closes[at]);
            if (names[at])
                marked.Append(NameCheckpoint).Append("((");
            marked.Insert(marked.Length, $"{Checkpoint}((", opens[at]);
            if (empty.Contains(at))
                marked.Append(';');
            if (at < source.Length)
                marked.Append(source[at]);
        }

        return marked.ToString();

        void Pass(Expression value)
        {
            // Literals have a fixed length, and arithmetic returns numbers; the operands of a sum pass by themselves.
            if (value is Literal or SpreadElement or PrivateIdentifier or BinaryExpression and not LogicalExpression or UnaryExpression)
                return;
            opens[value.Start]++;
            closes[value.End]++;
        }
    }
}
