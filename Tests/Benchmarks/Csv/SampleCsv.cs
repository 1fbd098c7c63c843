using System.Globalization;
using System.Text;

namespace Darkroom.Benchmarks.Csv;

/// <summary>A CSV of any number of products with one image each, generated while it is read, so that it is never in memory as a whole.</summary>
internal sealed class SampleCsv(int rows, string urlPrefix) : Stream
{
    private const string Header = "S. No.,Product Name,Input Image Urls\n";

    private readonly StringBuilder _text = new(Header);
    private byte[] _ready = [];
    private int _at;
    private int _row;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        if (_at == _ready.Length)
            Fill();
        var taken = Math.Min(buffer.Length, _ready.Length - _at);
        _ready.AsSpan(_at, taken).CopyTo(buffer);
        _at += taken;
        return taken;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Fill()
    {
        while (_row < rows && _text.Length < 64 * 1024)
        {
            _row++;
            _text.Append(CultureInfo.InvariantCulture, $"{_row}.,Product {_row},{urlPrefix}{_row}.jpg\n");
        }

        _ready = Encoding.UTF8.GetBytes(_text.ToString());
        _text.Clear();
        _at = 0;
    }
}
