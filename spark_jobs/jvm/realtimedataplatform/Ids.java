package realtimedataplatform;

import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A set of 128-bit ids that arrived within some time, in one array: 16 bytes for each, and free places. */
final class Ids {
    private static final int FIRST_PLACES = 1024;

    /** The micro-batches' files that hold these ids. */
    final List<Path> files = new ArrayList<>();
    /** When the first micro-batch's latest event, and when the latest of all, arrived, in microseconds. */
    final long begun;

    long newest;
    private long[] halves = new long[2 * FIRST_PLACES];
    private int count;

    Ids(long begun) {
        this.begun = begun;
        this.newest = begun;
    }

    /** Takes in the ids of a micro-batch: two longs for each. */
    void addAll(LongBuffer ids) {
        while (ids.hasRemaining()) {
            add(ids.get(), ids.get());
        }
    }

    boolean holds(long high, long low) {
        int place = find(halves, high, filled(low));
        return halves[place + 1] != 0;
    }

    boolean add(long high, long low) {
        int place = find(halves, high, filled(low));
        if (halves[place + 1] != 0) {
            return false;
        }
        halves[place] = high;
        halves[place + 1] = filled(low);
        count++;
        if (count > halves.length / 3) {
            grow();
        }
        return true;
    }

    private void grow() {
        long[] larger = new long[Math.multiplyExact(2, halves.length)];
        for (int place = 0; place < halves.length; place += 2) {
            if (halves[place + 1] != 0) {
                int found = find(larger, halves[place], halves[place + 1]);
                larger[found] = halves[place];
                larger[found + 1] = halves[place + 1];
            }
        }
        halves = larger;
    }

    /** Where an id is, or the free place where it belongs. */
    private static int find(long[] halves, long high, long low) {
        int mask = halves.length - 2;
        int place = (int) (high ^ high >>> 32) << 1 & mask;
        while (halves[place + 1] != 0 && (halves[place] != high || halves[place + 1] != low)) {
            place = place + 2 & mask;
        }
        return place;
    }

    /** A free place has a zero here. */
    private static long filled(long low) {
        return low == 0 ? 1 : low;
    }
}
