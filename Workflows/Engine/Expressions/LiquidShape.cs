namespace Darkroom.Engine.Expressions;

/// <summary>
/// Rejects templates before they are parsed. The parser recurses into nested constructs until the stack overflows, which would end the
/// process, and a range is built in full before the first iteration of its loop is counted.
/// </summary>
internal static class LiquidShape
{
    private const int MaxRange = 1_000;
    private const int MaxNumberLength = 12;

    // To the parser, consecutive conditions are nested.
    private const int MaxConditions = 100;

    private static readonly string[] Blocks = ["block", "capture", "case", "comment", "for", "form", "if", "ifchanged", "paginate", "raw", "tablerow", "unless"];

    /// <exception cref="ExpressionException">It is nested too deeply, or has a range that is too long.</exception>
    public static void Check(string source, int maxDepth)
    {
        var blocks = 0;
        for (var start = NextTag(source, 0); start >= 0;)
        {
            var isStatement = source[start + 1] == '%';
            var end = source.IndexOf(isStatement ? "%}" : "}}", start + 2, StringComparison.Ordinal);
            var tag = source.AsSpan((start + 2)..(end < 0 ? source.Length : end));
            if (isStatement)
                CheckBlocks(tag, ref blocks, maxDepth);
            CheckBrackets(tag, maxDepth);
            CheckConditions(tag);
            start = end < 0 ? -1 : NextTag(source, end + 2);
        }
    }

    private static int NextTag(string source, int from)
    {
        for (var at = source.IndexOf('{', from); at >= 0 && at < source.Length - 1; at = source.IndexOf('{', at + 1))
            if (source[at + 1] is '{' or '%')
                return at;
        return -1;
    }

    /// <summary>A tag is one statement, but the liquid tag has one per line.</summary>
    private static void CheckBlocks(ReadOnlySpan<char> tag, ref int blocks, int maxDepth)
    {
        foreach (var line in tag.EnumerateLines())
        {
            var words = line.TrimStart("- \t");
            if (words.StartsWith("liquid", StringComparison.Ordinal))
                words = words["liquid".Length..].TrimStart();
            var length = 0;
            while (length < words.Length && char.IsLetter(words[length]))
                length++;
            var word = words[..length];
            if (word.StartsWith("end", StringComparison.Ordinal))
                blocks = Math.Max(0, blocks - 1);
            foreach (var block in Blocks)
                if (word.SequenceEqual(block) && ++blocks > maxDepth)
                    throw new ExpressionException($"its blocks go deeper than {maxDepth}.");
        }
    }

    private static void CheckBrackets(ReadOnlySpan<char> tag, int maxDepth)
    {
        var (depth, open) = (0, -1);
        for (var at = 0; at < tag.Length; at++)
        {
            switch (tag[at])
            {
                case '(' or '[':
                    if (++depth > maxDepth)
                        throw new ExpressionException($"its brackets go deeper than {maxDepth}.");
                    open = at;
                    break;
                case ')' or ']':
                    depth = Math.Max(0, depth - 1);
                    open = -1;
                    break;
                case '.' when open >= 0 && at + 1 < tag.Length && tag[at + 1] == '.':
                    CheckRange(tag[(open + 1)..at], tag[(at + 2)..]);
                    open = -1;
                    break;
            }
        }
    }

    private static void CheckRange(ReadOnlySpan<char> from, ReadOnlySpan<char> rest)
    {
        var close = rest[..Math.Min(rest.Length, 2 * MaxNumberLength)].IndexOf(')');
        if (close < 0 || !TryRead(from, out var first) || !TryRead(rest[..close], out var last) || (long)last - first > MaxRange)
            throw new ExpressionException($"a range is written with two numbers at most {MaxRange:N0} apart, such as (1..10).");
    }

    private static bool TryRead(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        return text.Length <= 2 * MaxNumberLength && int.TryParse(text.Trim(), out number);
    }

    private static void CheckConditions(ReadOnlySpan<char> tag)
    {
        var conditions = 0;
        foreach (var word in tag.SplitAny(" \t\r\n"))
            if (tag[word] is "and" or "or" && ++conditions > MaxConditions)
                throw new ExpressionException($"it chains more than {MaxConditions} conditions.");
    }
}
