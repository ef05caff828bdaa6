using System.Security.Cryptography;
using System.Text;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>
/// Assembled kernels on disk, one file each: a magic, the hash of the payload, the payload. Files appear by renaming, a damaged file is
/// deleted and counts as missing, and an unwritable directory only costs time.
/// </summary>
internal sealed class CubinCache(string directory, long maxBytes)
{
    private const string Extension = ".cubin";
    private static readonly byte[] Magic = "DKVCUB01"u8.ToArray();

    internal static string DefaultDirectory
    {
        get
        {
            if (Environment.GetEnvironmentVariable("DELTAKV_CACHE_DIR") is { Length: > 0 } chosen)
                return chosen;
            var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return Path.Combine(data.Length > 0 ? data : Path.GetTempPath(), "DeltaKV", "kernels");
        }
    }

    /// <summary>The PTX stands for the IL, the generic arguments, the target and the compiler's version: it is made from nothing else.</summary>
    internal static string KeyOf(string ptx, string target, int driverVersion) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{target}\n{driverVersion}\n{ptx}")));

    internal byte[]? TryRead(string key)
    {
        var path = PathOf(key);
        try
        {
            if (!File.Exists(path))
                return null;
            var file = File.ReadAllBytes(path);
            var header = Magic.Length + SHA256.HashSizeInBytes;
            if (file.Length > header
                && file.AsSpan(0, Magic.Length).SequenceEqual(Magic)
                && SHA256.HashData(file.AsSpan(header)).AsSpan().SequenceEqual(file.AsSpan(Magic.Length, SHA256.HashSizeInBytes)))
            {
                File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
                return file[header..];
            }

            File.Delete(path);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal void Write(string key, ReadOnlySpan<byte> cubin)
    {
        try
        {
            Directory.CreateDirectory(directory);
            var temporary = Path.Combine(directory, Path.GetRandomFileName());
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(Magic);
                stream.Write(SHA256.HashData(cubin));
                stream.Write(cubin);
            }

            File.Move(temporary, PathOf(key), overwrite: true);
            Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The kernel is loaded already; the next process assembles it again.
        }
    }

    private string PathOf(string key) => Path.Combine(directory, key + Extension);

    private void Trim()
    {
        var files = new DirectoryInfo(directory).GetFiles("*" + Extension);
        var total = files.Sum(file => file.Length);
        foreach (var oldest in files.OrderBy(file => file.LastWriteTimeUtc))
        {
            if (total <= maxBytes)
                return;
            total -= oldest.Length;
            oldest.Delete();
        }
    }
}
