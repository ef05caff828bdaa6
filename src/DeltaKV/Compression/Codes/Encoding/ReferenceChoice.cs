using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>One thread per token merges what the splits of the search found and stores the ids. A reference is its own reference.</summary>
internal static class ReferenceChoice
{
    internal static void Make(FlushView flush, LayerCode code, int layer, FlushItem item, long records, ArrayView<int> ids)
    {
        var token = Group.IdxX;
        var offset = item.Position - flush.Origin + token;
        var best = LocalMemory.Allocate<Candidate>(4);
        NearestList.Clear(best);
        if (offset % flush.Stride == 0)
        {
            best[0] = new Candidate(0f, offset / flush.Stride);
        }
        else
        {
            var first = (long)flush.RowOf(layer, Grid.IdxY, token) * flush.Splits * 4;
            for (var i = 0; i < 4 * flush.Splits; i++)
            {
                var candidate = flush.Candidates[first + i];
                if (candidate.Ordinal >= 0 && NearestList.Accepts(best, candidate.Score, candidate.Ordinal))
                    NearestList.Insert(best, candidate.Score, candidate.Ordinal);
            }
        }

        // Early tokens have fewer references than the codec wants: the nearest ones stand in.
        var id0 = best[0].Ordinal;
        var id1 = best[1].Ordinal < 0 ? id0 : best[1].Ordinal;
        var id2 = best[2].Ordinal < 0 ? id0 : best[2].Ordinal;
        var id3 = best[3].Ordinal < 0 ? id1 : best[3].Ordinal;
        ids[4 * token] = id0;
        ids[(4 * token) + 1] = id1;
        ids[(4 * token) + 2] = id2;
        ids[(4 * token) + 3] = id3;
        var record = records + (token * code.RecordWords) + code.IdWord;
        flush.Pool.Records[record] = (uint)id0 | (code.Neighbours > 1 ? (uint)id1 << 16 : 0u);
        if (code.Neighbours > 2)
            flush.Pool.Records[record + 1] = (uint)id2 | (code.Neighbours > 3 ? (uint)id3 << 16 : 0u);
    }
}
