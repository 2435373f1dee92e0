package realtimedataplatform;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Lets each event of a query through once: copies that arrive within a window after it are left out.
 *
 * <p>The ids of each micro-batch are kept in a file of its number, which is written before the micro-batch is committed.
 * A micro-batch that is repeated is told from those before it only, so it lets through what it did the first time. Ids
 * are forgotten when everything that a micro-batch reads arrived more than a window after them: no copy within the window
 * is missed, however unevenly partitions are read. Not for several threads.
 */
public final class Once {
    private static final int GENERATIONS = 4;

    private final Journal journal;
    private final long windowMicros;
    private final Deque<Ids> generations = new ArrayDeque<>();
    private long next = -1;

    /**
     * @param folder where the files of the query's ids are.
     * @param windowSeconds how long an id is remembered at least, by time of arrival.
     */
    public Once(String folder, long windowSeconds) {
        journal = new Journal(folder, "copies of its events would be counted twice. Bring the folder back, or begin anew:"
                + " python main.py speed-layer begin-anew live_metrics");
        this.windowMicros = windowSeconds * 1_000_000;
    }

    /**
     * The events of a micro-batch that were not there before.
     *
     * @param events rows with {@code event_id}, {@code event_time} and {@code kafka_time}.
     * @throws IOException if the ids of the micro-batch before are not there: counting on would count copies twice.
     */
    public Firsts firstsOf(Dataset<Row> events, long batchId) throws IOException {
        if (batchId != next) {
            remember(batchId);
        }
        Firsts firsts = new Firsts(events);
        List<Firsts.Arrived> arrived = firsts.arrived();
        boolean isEmpty = arrived.stream().allMatch(part -> part.ids().length == 0);
        long newest = isEmpty ? newest() : firsts.newest();
        if (!isEmpty) {
            forget(firsts.oldest());
        }
        Ids here = new Ids(newest);
        LongStream.Builder fresh = LongStream.builder();
        BitSet[] copies = new BitSet[arrived.size()];
        for (int part = 0; part < copies.length; part++) {
            copies[part] = new BitSet();
            long[] ids = arrived.get(part).ids();
            for (int i = 0; i < ids.length; i += 2) {
                if (isKnown(ids[i], ids[i + 1]) || !here.add(ids[i], ids[i + 1])) {
                    copies[part].set(i / 2);
                } else {
                    fresh.add(ids[i]).add(ids[i + 1]);
                }
            }
        }
        long[] ids = fresh.build().toArray();
        keep(write(batchId, newest, ids), newest, LongBuffer.wrap(ids));
        next = batchId + 1;
        firsts.leaveOut(copies);
        return firsts;
    }

    private long newest() {
        return generations.isEmpty() ? 0 : generations.getLast().newest;
    }

    private boolean isKnown(long high, long low) {
        for (Ids generation : generations) {
            if (generation.holds(high, low)) {
                return true;
            }
        }
        return false;
    }

    /** Few generations, so that looking is cheap, and more than one, so that old ids go. */
    private void keep(Path file, long newest, LongBuffer ids) {
        if (generations.isEmpty() || newest - generations.getLast().begun > windowMicros / GENERATIONS) {
            generations.addLast(new Ids(newest));
        }
        Ids generation = generations.getLast();
        generation.newest = Math.max(generation.newest, newest);
        generation.files.add(file);
        generation.addAll(ids);
    }

    private void forget(long oldest) throws IOException {
        // The last one has the file that the next micro-batch asks for.
        while (generations.size() > 1 && generations.getFirst().newest < oldest - windowMicros) {
            for (Path file : generations.removeFirst().files) {
                Files.deleteIfExists(file);
            }
        }
    }

    private void remember(long batchId) throws IOException {
        generations.clear();
        for (Path file : journal.before(batchId)) {
            LongBuffer found = ByteBuffer.wrap(Files.readAllBytes(file)).asLongBuffer();
            keep(file, found.get(), found);
        }
    }

    private Path write(long batchId, long newest, long[] ids) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(Long.BYTES * (ids.length + 1));
        content.asLongBuffer().put(newest).put(ids);
        return journal.write(batchId, content);
    }
}
