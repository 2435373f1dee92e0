package realtimedataplatform;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Remembers what customers and devices did within a window of event time, and tells those of whom a micro-batch tells more.
 *
 * <p>A window ends with each event, so no burst hides at a border. What happened longer than allowed before the latest event
 * of the micro-batches before is late: it is counted, and left out. Not for several threads.
 */
public final class Trails {
    /** A subject's sightings that are looked at: what does more than that within a window was found out long before. */
    private static final int MOST = 1000;

    private final Journal journal;
    private final long windowMicros;
    private final long lateMicros;
    /** Sightings by the number of their window since 1970. */
    private final Map<Long, Trail> ofUsers = new HashMap<>();

    private final Map<Long, Trail> ofDevices = new HashMap<>();
    private final Deque<Written> files = new ArrayDeque<>();
    private long newest = Long.MIN_VALUE;
    private long next = -1;
    private long late;
    private int found;

    /**
     * @param folder where the files of the query's sightings are.
     * @param windowSeconds length of a window.
     * @param lateSeconds how late an event may be.
     */
    public Trails(String folder, long windowSeconds, long lateSeconds) {
        journal = new Journal(folder, "what was seen shortly before would be forgotten. Bring the folder back, or begin anew:"
                + " python main.py speed-layer begin-anew fraud_patterns");
        windowMicros = windowSeconds * 1_000_000;
        lateMicros = lateSeconds * 1_000_000;
    }

    /** How many events of the latest micro-batch were too late. */
    public long late() {
        return late;
    }

    /** How many windows the latest micro-batch gave. */
    public int found() {
        return found;
    }

    /**
     * The windows that end with an event of a micro-batch, or shortly after it, in which more than one thing happened.
     *
     * @param observed rows with {@code user_id}, {@code device_id}, {@code event_time}, {@code latitude},
     *     {@code longitude}, and, where they count, {@code counted_order}, {@code small_card}, {@code address_changed} and
     *     {@code high_order}.
     * @return rows of {@code subject_kind}, {@code subject}, {@code window} and the observed {@code event}.
     * @throws IOException if the sightings of the micro-batch before are not there.
     */
    public Dataset<Row> windows(Dataset<Row> observed, long batchId) throws IOException {
        if (batchId != next) {
            remember(batchId);
        }
        Observed columns = new Observed(observed.schema());
        List<InternalRow> rows = ((org.apache.spark.sql.classic.Dataset<Row>) observed)
                .queryExecution()
                .toRdd()
                .toJavaRDD()
                .map(InternalRow::copy)
                .collect();
        long oldest = newest == Long.MIN_VALUE ? Long.MIN_VALUE : newest - lateMicros;
        forget(oldest);
        List<Sighting> seen = new ArrayList<>(rows.size());
        List<InternalRow> found = new ArrayList<>();
        late = 0;
        for (InternalRow row : rows) {
            Sighting sighting = columns.sighting(row);
            if (sighting.micros < oldest) {
                late++;
                continue;
            }
            seen.add(sighting);
            add(sighting);
            look(row, columns, sighting, true, found);
            if (sighting.device != Sighting.NONE) {
                look(row, columns, sighting, false, found);
            }
        }
        write(batchId, seen);
        next = batchId + 1;
        this.found = found.size();
        return frame((SparkSession) observed.sparkSession(), observed.schema(), found);
    }

    private void add(Sighting sighting) {
        newest = Math.max(newest, sighting.micros);
        long pane = Math.floorDiv(sighting.micros, windowMicros);
        ofUsers.computeIfAbsent(pane, number -> new Trail(true)).add(sighting);
        if (sighting.device != Sighting.NONE) {
            ofDevices.computeIfAbsent(pane, number -> new Trail(false)).add(sighting);
        }
    }

    private void look(InternalRow row, Observed columns, Sighting sighting, boolean ofUser, List<InternalRow> found) {
        List<Sighting> near = near(sighting, ofUser);
        if (near.size() < 2) {
            return;
        }
        for (Sighting last : near) {
            // Seldom more than itself: others are later only where events come out of order.
            if (last == sighting || last.micros > sighting.micros) {
                InternalRow window = new Window(near, last.micros, windowMicros).row();
                found.add(new GenericInternalRow(new Object[] {
                    UTF8String.fromString(ofUser ? "user" : "device"), columns.subject(row, ofUser), window, row
                }));
            }
        }
    }

    /** The subject's sightings that can be in a window with this one. */
    private List<Sighting> near(Sighting sighting, boolean ofUser) {
        List<Sighting> near = new ArrayList<>();
        long pane = Math.floorDiv(sighting.micros, windowMicros);
        for (long number = pane + 1; number >= pane - 1; number--) {
            Trail trail = (ofUser ? ofUsers : ofDevices).get(number);
            Sighting one = trail == null ? null : trail.latest(sighting.subject(ofUser));
            for (; one != null && near.size() < MOST; one = one.before(ofUser)) {
                if (Math.abs(one.micros - sighting.micros) < windowMicros) {
                    near.add(one);
                }
            }
        }
        return near;
    }

    private Dataset<Row> frame(SparkSession spark, StructType event, List<InternalRow> rows) {
        StructType schema = new StructType()
                .add("subject_kind", "string")
                .add("subject", "string")
                .add("window", DataType.fromDDL("struct<" + Window.DDL + ">"))
                .add("event", event);
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        return spark.internalCreateDataFrame(context.parallelize(rows, 1).rdd(), schema, false);
    }

    private void remember(long batchId) throws IOException {
        ofUsers.clear();
        ofDevices.clear();
        files.clear();
        newest = Long.MIN_VALUE;
        for (Path file : journal.before(batchId)) {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            files.addLast(new Written(file, bytes.getLong()));
            while (bytes.hasRemaining()) {
                add(Sighting.from(bytes));
            }
        }
    }

    private void write(long batchId, List<Sighting> seen) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + Sighting.BYTES * seen.size());
        long latest = seen.stream().mapToLong(sighting -> sighting.micros).max().orElse(Long.MIN_VALUE);
        bytes.putLong(latest);
        seen.forEach(sighting -> sighting.writeTo(bytes));
        files.addLast(new Written(journal.write(batchId, bytes), latest));
    }

    /** Lets go of what no window can reach that ends with an event of this time, or later. */
    private void forget(long oldest) throws IOException {
        if (oldest == Long.MIN_VALUE) {
            return;
        }
        long reached = oldest - windowMicros;
        ofUsers.keySet().removeIf(number -> (number + 1) * windowMicros <= reached);
        ofDevices.keySet().removeIf(number -> (number + 1) * windowMicros <= reached);
        // The next micro-batch asks for the last one.
        Written last = files.peekLast();
        for (Iterator<Written> all = files.iterator(); all.hasNext(); ) {
            Written file = all.next();
            if (file != last && file.latest <= reached) {
                Files.deleteIfExists(file.path);
                all.remove();
            }
        }
    }

    private record Written(Path path, long latest) {}
}
