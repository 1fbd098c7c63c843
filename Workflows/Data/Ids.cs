namespace Darkroom.Data;

/// <summary>Names one uploaded CSV and everything that belongs to it; also the prefix of its objects in S3.</summary>
public readonly record struct RequestId(Guid Value)
{
    public override string ToString() => Value.ToString("D");
}

/// <summary>Names one image of one request: a place in its CSV.</summary>
public readonly record struct ImageId(long Value)
{
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Names whom API keys, requests and webhook secrets belong to.</summary>
public readonly record struct OwnerId(Guid Value)
{
    public override string ToString() => Value.ToString("D");
}

/// <summary>A place in a request's CSV: data record and place in its URL list, both from 1.</summary>
public readonly record struct ImagePlace(int Row, int Position);
