using System.Buffers.Binary;
using System.Buffers.Text;
using Darkroom.Data;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>
/// An opaque cursor: the position of a page's last item. The sort order never changes, so paging stays correct even if items are
/// added or updated between two calls.
/// </summary>
internal static class PageCursor
{
    // The first byte is the kind of list, so that one list rejects the other's cursors.
    private const byte RequestKind = 1;
    private const byte ImageKind = 2;

    public static string After(RequestPlace place)
    {
        Span<byte> bytes = stackalloc byte[25];
        bytes[0] = RequestKind;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], place.CreatedAt.UtcTicks);
        place.Id.Value.TryWriteBytes(bytes[9..]);
        return Base64Url.EncodeToString(bytes);
    }

    public static string After(ImagePlace place)
    {
        Span<byte> bytes = stackalloc byte[9];
        bytes[0] = ImageKind;
        BinaryPrimitives.WriteInt32BigEndian(bytes[1..], place.Row);
        BinaryPrimitives.WriteInt32BigEndian(bytes[5..], place.Position);
        return Base64Url.EncodeToString(bytes);
    }

    public static bool TryParse(string cursor, out RequestPlace place)
    {
        place = default;
        Span<byte> bytes = stackalloc byte[25];
        if (!TryDecode(cursor, bytes, RequestKind))
            return false;
        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        if (ticks < DateTime.UnixEpoch.Ticks || ticks > DateTime.MaxValue.Ticks)
            return false;
        place = new RequestPlace(new DateTimeOffset(ticks, TimeSpan.Zero), new RequestId(new Guid(bytes[9..])));
        return true;
    }

    public static bool TryParse(string cursor, out ImagePlace place)
    {
        place = default;
        Span<byte> bytes = stackalloc byte[9];
        if (!TryDecode(cursor, bytes, ImageKind))
            return false;
        place = new ImagePlace(BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), BinaryPrimitives.ReadInt32BigEndian(bytes[5..]));
        return place is { Row: > 0, Position: > 0 };
    }

    private static bool TryDecode(string cursor, Span<byte> bytes, byte kind) =>
        Base64Url.IsValid(cursor, out var length)
        && length == bytes.Length
        && Base64Url.TryDecodeFromChars(cursor, bytes, out var written)
        && written == bytes.Length
        && bytes[0] == kind;
}
