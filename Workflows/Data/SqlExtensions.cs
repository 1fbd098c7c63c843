using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Data;

/// <summary>SQL with named parameters, written where it is used and read as one statement.</summary>
public static class SqlExtensions
{
    /// <summary>A command on this connection, in its current transaction if there is one.</summary>
    public static NpgsqlCommand Sql(this NpgsqlConnection connection, string text) => new(text, connection);

    /// <summary>A command that takes a connection of its own from the pool.</summary>
    public static NpgsqlCommand Sql(this NpgsqlDataSource database, string text) => database.CreateCommand(text);

    /// <summary>
    /// Lets the command run as long as its token does, not only for the client's usual time: for what takes as long as its data, or as
    /// whoever holds the rows.
    /// </summary>
    public static NpgsqlCommand WithoutTimeout(this NpgsqlCommand command)
    {
        command.CommandTimeout = 0;
        return command;
    }

    /// <summary>Binds <c>@name</c>; null becomes SQL's null.</summary>
    public static NpgsqlCommand With(this NpgsqlCommand command, string name, object? value)
    {
        command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <summary>Binds <c>@name</c> with its type: for arrays, jsonb, and values that may be null where the type cannot be inferred.</summary>
    public static NpgsqlCommand With(this NpgsqlCommand command, string name, NpgsqlDbType type, object? value)
    {
        command.Parameters.AddWithValue(name, type, value ?? DBNull.Value);
        return command;
    }
}

/// <summary>Columns that may be null, read as C# nulls.</summary>
internal static class NullableColumns
{
    public static string? TextOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static int? IntOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);

    public static long? LongOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static byte[]? BytesOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);

    public static DateTimeOffset? TimeOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
