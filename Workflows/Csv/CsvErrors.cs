namespace Darkroom.Csv;

/// <summary>The first errors of a file, and how many there are.</summary>
internal sealed class CsvErrors(int listed)
{
    private readonly List<CsvError> _list = [];

    public IReadOnlyList<CsvError> Listed => _list;
    public long Count { get; private set; }

    public void Add(CsvError error)
    {
        if (Count++ < listed)
            _list.Add(error);
    }

    public void Add(long line, int? column, string code, string message, ReadOnlySpan<char> value = default)
    {
        if (Count++ < listed)
            _list.Add(CsvError.At(line, column, code, message, value));
    }

    public void MoveTo(CsvErrors others)
    {
        foreach (var error in _list)
            others.Add(error);
    }
}
