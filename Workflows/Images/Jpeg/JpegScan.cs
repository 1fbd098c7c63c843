namespace Darkroom.Images.Jpeg;

/// <summary>What a scan header says (ITU T.81, B.2.3).</summary>
/// <param name="Components">The components it holds, in their order.</param>
/// <param name="First">The first coefficient, in zigzag order.</param>
/// <param name="Last">The last one.</param>
/// <param name="PreviousBit">In a progressive refinement, the lowest bit that is known already; 0 if this is the first scan of these.</param>
/// <param name="Bit">The lowest bit that is known after this scan.</param>
internal sealed record JpegScan(JpegComponent[] Components, int First, int Last, int PreviousBit, int Bit)
{
    public bool IsDc => First == 0;

    public bool IsRefinement => PreviousBit > 0;

    /// <exception cref="NotTranscodableException">It is invalid.</exception>
    public static JpegScan Read(ReadOnlySpan<byte> payload, JpegFrame frame, JpegTables tables)
    {
        if (payload.Length == 0 || payload.Length != 4 + 2 * payload[0] || payload[0] < 1 || payload[0] > frame.Components.Length)
            throw Damaged();
        var components = new JpegComponent[payload[0]];
        var spectrum = payload[(1 + 2 * components.Length)..];
        var scan = new JpegScan(components, spectrum[0], spectrum[1], spectrum[2] >> 4, spectrum[2] & 15);
        if (!(frame.IsProgressive ? scan.IsProgressive() : scan is { First: 0, Last: 63, PreviousBit: 0, Bit: 0 }))
            throw Damaged();

        var next = 0;
        for (var i = 0; i < components.Length; i++)
        {
            // They come in the frame's order.
            while (next < frame.Components.Length && frame.Components[next].Id != payload[1 + 2 * i])
                next++;
            if (next == frame.Components.Length)
                throw Damaged();
            var component = components[i] = frame.Components[next++];
            component.Prediction = 0;
            if (scan.IsDc && !scan.IsRefinement)
                component.Dc = tables.Dc(payload[2 + 2 * i] >> 4);
            if (scan.Last > 0)
                component.Ac = tables.Ac(payload[2 + 2 * i] & 15);
            scan.RecordIn(component);
        }

        return scan;
    }

    /// <summary>Each bit comes once, from the highest down, and DC first (G.1.1.1.1 and figure G.1).</summary>
    private void RecordIn(JpegComponent component)
    {
        var expected = IsRefinement ? PreviousBit : JpegComponent.Unknown;
        if (component.LowestBits[First..(Last + 1)].Any(bit => bit != expected) || !IsDc && component.LowestBits[0] == JpegComponent.Unknown)
            throw Damaged();
        Array.Fill(component.LowestBits, Bit, First, Last + 1 - First);
    }

    // T.81, G.1.1.1.1. Eight-bit samples have coefficients of 11 bits.
    private bool IsProgressive() =>
        Last <= 63 && (IsDc ? Last == 0 : First <= Last && Components.Length == 1)
        && Bit <= 10 && (PreviousBit == 0 || PreviousBit == Bit + 1);

    private static NotTranscodableException Damaged() => new(NotTranscodable.Damaged);
}
