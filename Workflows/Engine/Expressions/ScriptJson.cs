using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Jint;
using Jint.Native;
using Jint.Native.Function;
using Jint.Native.Object;
using Jint.Runtime;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// Script values as JSON. The interpreter's own writer recurses into nested values, and into what their <c>toJSON</c> returns,
/// until the stack overflows, which would end the process.
/// </summary>
internal static class ScriptJson
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n", SkipValidation = true };

    /// <summary>The value as JSON text; null if it has no JSON form, such as a function.</summary>
    /// <param name="only">The property names to include; null for all.</param>
    /// <param name="indent">Spaces of indentation per level; 0 for one line.</param>
    /// <exception cref="ExpressionException">It is longer than a text may be, or nested too deeply.</exception>
    public static string? Write(JsValue value, ExpressionOptions bounds, IReadOnlySet<string>? only = null, int indent = 0)
    {
        var text = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(text, Plain with { Indented = indent > 0, IndentSize = indent });
        if (!new Walk(writer, bounds, only).TryWrite(null, "", value, 0))
            return null;
        writer.Flush();
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private sealed class Walk(Utf8JsonWriter writer, ExpressionOptions bounds, IReadOnlySet<string>? only)
    {
        private int _values;

        /// <summary>Writes the value, after its name if it is a member; false if it has no JSON form.</summary>
        public bool TryWrite(string? name, string key, JsValue value, int depth)
        {
            if (depth > bounds.MaxRecursion)
                throw new ExpressionException($"it nests values deeper than {bounds.MaxRecursion}.");
            ScriptMeter.Require(++_values + writer.BytesPending + writer.BytesCommitted, bounds);
            if (value is ObjectInstance convertible && convertible.Get("toJSON") is Function convert)
                value = convertible.Engine.Call(convert, value, [key]);
            if (value is IJsPrimitive boxed)
                value = boxed.PrimitiveValue;
            if (value.IsUndefined() || value is Function || value.IsSymbol())
                return false;
            if (name is not null)
                writer.WritePropertyName(name);
            switch (value)
            {
                case var text when text.IsString():
                    ScriptMeter.Require(text.AsString().Length, bounds);
                    writer.WriteStringValue(text.AsString());
                    break;
                case var flag when flag.IsBoolean():
                    writer.WriteBooleanValue(flag.AsBoolean());
                    break;
                case var number when number.IsNumber() && double.IsFinite(number.AsNumber()):
                    WriteNumber(number.AsNumber());
                    break;
                case JsArray array:
                    writer.WriteStartArray();
                    for (uint i = 0; i < array.Length; i++)
                        if (!TryWrite(null, "", array[i], depth + 1))
                            writer.WriteNullValue();
                    writer.WriteEndArray();
                    break;
                case ObjectInstance instance:
                    writer.WriteStartObject();
                    foreach (var (member, property) in instance.GetOwnProperties())
                        if (property.Enumerable && member.IsString() && only?.Contains(member.AsString()) != false)
                            TryWrite(member.AsString(), member.AsString(), instance.Get(member), depth + 1);
                    writer.WriteEndObject();
                    break;
                default:
                    writer.WriteNullValue();
                    break;
            }

            return true;
        }

        private void WriteNumber(double number)
        {
            if (number == Math.Truncate(number) && Math.Abs(number) < 9e15)
                writer.WriteNumberValue((long)number);
            else
                writer.WriteNumberValue(number);
        }
    }
}
