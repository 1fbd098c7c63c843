namespace Darkroom.Data;

/// <summary>Identifies one uploaded CSV and everything that belongs to it; also part of the prefix of its objects in S3.</summary>
public readonly record struct RequestId(Guid Value)
{
    public override string ToString() => Value.ToString("D");
}

/// <summary>Identifies one image of one request.</summary>
public readonly record struct ImageId(long Value)
{
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Identifies the owner of API keys, requests and webhook secrets.</summary>
public readonly record struct OwnerId(Guid Value)
{
    public override string ToString() => Value.ToString("D");
}

/// <summary>Where an image is in its request's CSV: the data row, and the position in that row's URL list, both 1-based.</summary>
public readonly record struct ImagePlace(int Row, int Position);
