using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Data;

/// <summary>Fluent commands with named parameters, so that SQL stays where it is used and reads as one statement.</summary>
public static class SqlExtensions
{
    /// <summary>A command on this connection, in its current transaction if there is one.</summary>
    public static NpgsqlCommand Sql(this NpgsqlConnection connection, string text) => new(text, connection);

    /// <summary>A command that rents its own connection from the pool.</summary>
    public static NpgsqlCommand Sql(this NpgsqlDataSource database, string text) => database.CreateCommand(text);

    /// <summary>Adds a command to a batch, which runs in one round trip.</summary>
    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string text)
    {
        var command = new NpgsqlBatchCommand(text);
        batch.BatchCommands.Add(command);
        return command;
    }

    /// <summary>
    /// Removes the client's command timeout, so only the token limits the command: for work whose duration depends on its data or on
    /// who holds the locks.
    /// </summary>
    public static NpgsqlCommand WithoutTimeout(this NpgsqlCommand command)
    {
        command.CommandTimeout = 0;
        return command;
    }

    /// <summary>Binds <c>@name</c>; null becomes SQL NULL.</summary>
    public static NpgsqlCommand With(this NpgsqlCommand command, string name, object? value)
    {
        command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <summary>Binds <c>@name</c> with an explicit type: for arrays, jsonb, and null values whose type cannot be inferred.</summary>
    public static NpgsqlCommand With(this NpgsqlCommand command, string name, NpgsqlDbType type, object? value)
    {
        command.Parameters.AddWithValue(name, type, value ?? DBNull.Value);
        return command;
    }

    /// <inheritdoc cref="With(NpgsqlCommand, string, object?)"/>
    public static NpgsqlBatchCommand With(this NpgsqlBatchCommand command, string name, object? value)
    {
        command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <inheritdoc cref="With(NpgsqlCommand, string, NpgsqlDbType, object?)"/>
    public static NpgsqlBatchCommand With(this NpgsqlBatchCommand command, string name, NpgsqlDbType type, object? value)
    {
        command.Parameters.AddWithValue(name, type, value ?? DBNull.Value);
        return command;
    }
}

/// <summary>Reads nullable columns as C# nulls.</summary>
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
