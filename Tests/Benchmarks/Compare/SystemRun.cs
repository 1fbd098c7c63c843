namespace Darkroom.Benchmarks.Compare;

/// <summary>What a system did with one request.</summary>
/// <param name="System">Its name.</param>
/// <param name="ImagesPerSecond">From the upload to the webhook.</param>
/// <param name="CpuMs">CPU milliseconds an image, by process; those of both systems have the same names.</param>
/// <param name="Peaks">Peak memory in MB, by process.</param>
/// <param name="Bytes">Bytes of a result.</param>
/// <param name="OtherCpuSeconds">CPU time that other processes on the machine took meanwhile: if it is high, the figures mean nothing.</param>
internal sealed record SystemRun(
    string System, double ImagesPerSecond, Dictionary<string, double> CpuMs, Dictionary<string, double> Peaks, double Bytes, double OtherCpuSeconds)
{
    public double TotalCpuMs => CpuMs.Values.Sum();
}

/// <summary>What is compared.</summary>
/// <param name="BothStoreOriginals">Whether the Node system stores originals too, as ours does; by itself it does not.</param>
/// <param name="IsSink">Whether the object store only takes images, and does not keep them.</param>
internal sealed record Setup(bool BothStoreOriginals, bool IsSink)
{
    public override string ToString() => (BothStoreOriginals ? "both store originals" : "each as it is") + (IsSink ? ", sink" : ", S3 endpoint");
}
