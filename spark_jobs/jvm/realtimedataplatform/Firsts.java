package realtimedataplatform;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.XXH64;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.unsafe.types.UTF8String;

/** A micro-batch's events, held as they were computed, of which copies are left out. */
public final class Firsts {
    private static final long SEED = 42;

    private final SparkSession spark;
    private final StructType schema;
    private final JavaRDD<Part> parts;
    private List<Arrived> arrived;
    private BitSet[] copies;

    Firsts(Dataset<Row> events) {
        spark = (SparkSession) events.sparkSession();
        schema = events.schema();
        int id = schema.fieldIndex("event_id");
        int happened = schema.fieldIndex("event_time");
        int received = schema.fieldIndex("kafka_time");
        parts = ((org.apache.spark.sql.classic.Dataset<Row>) events)
                .queryExecution()
                .toRdd()
                .toJavaRDD()
                .mapPartitions(rows -> Collections.singleton(new Part(rows, id, happened, received)).iterator())
                .persist(StorageLevel.MEMORY_ONLY());
    }

    /** What arrived, for each part of the micro-batch. */
    List<Arrived> arrived() {
        if (arrived == null) {
            arrived = parts.map(Part::arrived).collect();
        }
        return arrived;
    }

    void leaveOut(BitSet[] copies) {
        this.copies = copies;
    }

    /** How many copies were left out. */
    public long copies() {
        long count = 0;
        for (BitSet some : copies) {
            count += some.cardinality();
        }
        return count;
    }

    /** How many events are left. */
    public long count() {
        return arrived.stream().mapToLong(some -> some.ids.length / 2).sum() - copies();
    }

    /** When the first of all that was read arrived, in microseconds. */
    public long oldest() {
        return arrived.stream().mapToLong(Arrived::oldest).min().orElse(0);
    }

    /** When the last of all that was read arrived, in microseconds. */
    public long newest() {
        return arrived.stream().mapToLong(Arrived::newest).max().orElse(0);
    }

    /** When the latest of all that was read happened, in microseconds. */
    public long latest() {
        return arrived.stream().mapToLong(some -> some.latest).max().orElse(0);
    }

    /** The events without copies. */
    public Dataset<Row> frame() {
        BitSet[] without = copies;
        JavaRDD<InternalRow> rows =
                parts.mapPartitionsWithIndex((index, held) -> held.next().without(without[index]), true);
        return spark.internalCreateDataFrame(rows.rdd(), schema, false);
    }

    /** Lets go of the events. */
    public void release() {
        parts.unpersist(false);
    }

    /** Ids, as two longs each, and times, in microseconds, of a part of the micro-batch. */
    record Arrived(long[] ids, long oldest, long newest, long latest) implements Serializable {}

    private static final class Part implements Serializable {
        private static final long serialVersionUID = 1L;

        private final ArrayList<InternalRow> rows = new ArrayList<>();
        private final long[] ids;
        private long oldest = Long.MAX_VALUE;
        private long newest = Long.MIN_VALUE;
        private long latest = Long.MIN_VALUE;

        Part(Iterator<InternalRow> events, int id, int happened, int received) {
            while (events.hasNext()) {
                // Spark writes the next row over this one.
                rows.add(events.next().copy());
            }
            ids = new long[2 * rows.size()];
            int at = 0;
            for (InternalRow row : rows) {
                UTF8String text = row.getUTF8String(id);
                ids[at++] = hash(text, SEED);
                ids[at++] = hash(text, ~SEED);
                oldest = Math.min(oldest, row.getLong(received));
                newest = Math.max(newest, row.getLong(received));
                latest = Math.max(latest, row.getLong(happened));
            }
        }

        Arrived arrived() {
            return new Arrived(ids, oldest, newest, latest);
        }

        Iterator<InternalRow> without(BitSet copies) {
            ArrayList<InternalRow> left = new ArrayList<>(rows.size());
            for (int i = 0; i < rows.size(); i++) {
                if (!copies.get(i)) {
                    left.add(rows.get(i));
                }
            }
            return left.iterator();
        }

        private static long hash(UTF8String text, long seed) {
            return XXH64.hashUnsafeBytes(text.getBaseObject(), text.getBaseOffset(), text.numBytes(), seed);
        }
    }
}
