using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Queue;

/// <summary>A batch of outcomes as one array per column, for <c>unnest</c>.</summary>
internal sealed class OutcomeColumns(int count)
{
    private readonly Guid[] _requests = new Guid[count];
    private readonly int[] _runs = new int[count];
    private readonly long[] _ids = new long[count];
    private readonly long[] _fences = new long[count];
    private readonly string[] _states = new string[count];
    private readonly TimeSpan?[] _delays = new TimeSpan?[count];
    private readonly int[] _refunds = new int[count];
    private readonly int[] _preemptions = new int[count];
    private readonly string?[] _codes = new string?[count];
    private readonly string?[] _messages = new string?[count];
    private readonly string?[] _journals = new string?[count];
    private readonly int?[] _paths = new int?[count];
    private readonly ImagePaths _distinctPaths = new();
    private readonly ObjectColumns _originals = new(count);
    private readonly ObjectColumns _outputs = new(count);

    public static OutcomeColumns Of(IReadOnlyList<ImageOutcome> outcomes)
    {
        var columns = new OutcomeColumns(outcomes.Count);
        for (var i = 0; i < outcomes.Count; i++)
            columns.Set(i, outcomes[i]);
        return columns;
    }

    private void Set(int i, ImageOutcome outcome)
    {
        _requests[i] = outcome.Image.RequestId.Value;
        _runs[i] = outcome.Image.Run;
        _ids[i] = outcome.Image.Id.Value;
        _fences[i] = outcome.Image.Fence;
        _paths[i] = _distinctPaths.NumberOf(outcome);
        switch (outcome)
        {
            case ImageOutcome.Succeeded succeeded:
                _states[i] = "succeeded";
                if (succeeded.Original is { } kept)
                    _originals.Set(i, kept);
                _outputs.Set(i, succeeded.Output);
                break;
            case ImageOutcome.Failed failed:
                _states[i] = "failed";
                _codes[i] = PostgresText.Clean(failed.Code);
                _messages[i] = PostgresText.Clean(failed.Message);
                _journals[i] = failed.Journal is { } journal ? PostgresText.CleanJson(journal) : null;
                if (failed.Original is { } original)
                    _originals.Set(i, original);
                break;
            case ImageOutcome.RetryAt retry:
                _states[i] = "waiting";
                _delays[i] = retry.Delay;
                _refunds[i] = retry.UsesAttempt ? 0 : 1;
                _preemptions[i] = retry.WasPreempted ? 1 : 0;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Unknown outcome.");
        }
    }

    public void Bind(NpgsqlParameterCollection parameters)
    {
        Bind(parameters, "request_ids", NpgsqlDbType.Uuid, _requests);
        Bind(parameters, "runs", NpgsqlDbType.Integer, _runs);
        Bind(parameters, "ids", NpgsqlDbType.Bigint, _ids);
        Bind(parameters, "fences", NpgsqlDbType.Bigint, _fences);
        Bind(parameters, "states", NpgsqlDbType.Text, _states);
        Bind(parameters, "delays", NpgsqlDbType.Interval, _delays);
        Bind(parameters, "refunds", NpgsqlDbType.Integer, _refunds);
        Bind(parameters, "preemptions", NpgsqlDbType.Integer, _preemptions);
        Bind(parameters, "codes", NpgsqlDbType.Text, _codes);
        Bind(parameters, "messages", NpgsqlDbType.Text, _messages);
        Bind(parameters, "journals", NpgsqlDbType.Jsonb, _journals);
        Bind(parameters, "paths", NpgsqlDbType.Integer, _paths);
        Bind(parameters, "path_numbers", NpgsqlDbType.Integer, _distinctPaths.Numbers());
        Bind(parameters, "path_nodes", NpgsqlDbType.Text, _distinctPaths.Nodes());
        Bind(parameters, "path_ends", NpgsqlDbType.Text, _distinctPaths.Ends());
        _originals.Bind(parameters, "original");
        _outputs.Bind(parameters, "output");
    }

    private static void Bind(NpgsqlParameterCollection parameters, string name, NpgsqlDbType type, Array values) =>
        parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = values });

    private sealed class ObjectColumns(int count)
    {
        private readonly string?[] _keys = new string?[count];
        private readonly string?[] _types = new string?[count];
        private readonly long?[] _bytes = new long?[count];
        private readonly int?[] _widths = new int?[count];
        private readonly int?[] _heights = new int?[count];
        private readonly byte[]?[] _digests = new byte[]?[count];

        public void Set(int i, ImageObject image)
        {
            _keys[i] = image.Key;
            _types[i] = PostgresText.Clean(image.ContentType);
            _bytes[i] = image.Bytes;
            _widths[i] = image.Width;
            _heights[i] = image.Height;
            _digests[i] = image.Sha256;
        }

        public void Bind(NpgsqlParameterCollection parameters, string name)
        {
            OutcomeColumns.Bind(parameters, $"{name}_keys", NpgsqlDbType.Text, _keys);
            OutcomeColumns.Bind(parameters, $"{name}_types", NpgsqlDbType.Text, _types);
            OutcomeColumns.Bind(parameters, $"{name}_bytes", NpgsqlDbType.Bigint, _bytes);
            OutcomeColumns.Bind(parameters, $"{name}_widths", NpgsqlDbType.Integer, _widths);
            OutcomeColumns.Bind(parameters, $"{name}_heights", NpgsqlDbType.Integer, _heights);
            OutcomeColumns.Bind(parameters, $"{name}_digests", NpgsqlDbType.Bytea, _digests);
        }
    }
}
