using System.Diagnostics;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Statistics in a side file, so that an interrupted reading goes on where it stopped; to the bit.</summary>
/// <param name="path">The file; what it holds of a finished reading serves any number of plans.</param>
/// <param name="interval">At least so long between two writes.</param>
internal sealed class CalibrationCheckpoint(string path, TimeSpan interval)
{
    private const string Magic = "DeltaKV calibration 2";

    private readonly Stopwatch _sinceSave = Stopwatch.StartNew();

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Takes over what was saved of the same reading.</summary>
    /// <param name="key">What is read, with what; statistics of anything else are not taken.</param>
    /// <param name="load">Receives the statistics.</param>
    /// <returns>Documents that were read; 0 when there is nothing to go on from.</returns>
    public int Load(string key, Action<BinaryReader> load)
    {
        if (!File.Exists(path))
            return 0;
        using var reader = new BinaryReader(File.OpenRead(path));
        if (reader.ReadString() != Magic || reader.ReadString() != key)
            return 0;
        var documents = reader.ReadInt32();
        load(reader);
        return documents;
    }

    /// <summary>Writes statistics beside the file and renames, unless it did so just now and more is to come.</summary>
    public void Save(string key, int documents, Action<BinaryWriter> save, bool isLast)
    {
        if (!isLast && _sinceSave.Elapsed < interval)
            return;
        var temporary = path + ".partial";
        using (var writer = new BinaryWriter(File.Create(temporary)))
        {
            writer.Write(Magic);
            writer.Write(key);
            writer.Write(documents);
            save(writer);
        }

        File.Move(temporary, path, overwrite: true);
        _sinceSave.Restart();
    }

    /// <summary>Removes the file: the reading is done.</summary>
    public void Delete() => File.Delete(path);
}
