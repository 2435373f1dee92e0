package realtimedataplatform;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;

/** What a customer or a device did within a window of time that ends with one of its sightings. */
final class Window {
    /** What {@link #row} gives, as Spark writes types. */
    static final String DDL = "orders:int,small_cards:int,users:int,south:double,north:double,west:double,east:double,"
            + "address_changed_at:timestamp,high_order_at:timestamp,started_at:timestamp";

    private int count;
    private final long[] orders;
    private final long[] smallCards;
    private final long[] users;
    private long startedAt = Long.MAX_VALUE;
    private long addressChangedAt = Long.MAX_VALUE;
    private long highOrderAt = Long.MIN_VALUE;
    private float south = Float.NaN;
    private float north = Float.NaN;
    private float west = Float.NaN;
    private float east = Float.NaN;

    /** The sightings that happened within a window before this moment, and at it. */
    Window(List<Sighting> sightings, long end, long windowMicros) {
        orders = new long[sightings.size()];
        smallCards = new long[sightings.size()];
        users = new long[sightings.size()];
        for (Sighting sighting : sightings) {
            if (sighting.micros <= end && sighting.micros > end - windowMicros) {
                take(sighting);
            }
        }
    }

    private void take(Sighting sighting) {
        orders[count] = sighting.order;
        smallCards[count] = sighting.smallCard;
        users[count] = sighting.user;
        count++;
        startedAt = Math.min(startedAt, sighting.micros);
        if (sighting.is(Sighting.ADDRESS_CHANGED)) {
            addressChangedAt = Math.min(addressChangedAt, sighting.micros);
        }
        if (sighting.is(Sighting.HIGH_ORDER)) {
            highOrderAt = Math.max(highOrderAt, sighting.micros);
        }
        if (!Float.isNaN(sighting.latitude) && !Float.isNaN(sighting.longitude)) {
            boolean isFirst = Float.isNaN(south);
            south = isFirst ? sighting.latitude : Math.min(south, sighting.latitude);
            north = isFirst ? sighting.latitude : Math.max(north, sighting.latitude);
            west = isFirst ? sighting.longitude : Math.min(west, sighting.longitude);
            east = isFirst ? sighting.longitude : Math.max(east, sighting.longitude);
        }
    }

    /** Its figures. */
    InternalRow row() {
        boolean isPlaced = !Float.isNaN(south);
        return new GenericInternalRow(new Object[] {
            distinct(orders),
            distinct(smallCards),
            distinct(users),
            isPlaced ? (double) south : null,
            isPlaced ? (double) north : null,
            isPlaced ? (double) west : null,
            isPlaced ? (double) east : null,
            addressChangedAt == Long.MAX_VALUE ? null : addressChangedAt,
            highOrderAt == Long.MIN_VALUE ? null : highOrderAt,
            startedAt
        });
    }

    private int distinct(long[] values) {
        Arrays.sort(values, 0, count);
        int found = 0;
        for (int i = 0; i < count; i++) {
            if (values[i] != Sighting.NONE && (i == 0 || values[i] != values[i - 1])) {
                found++;
            }
        }
        return found;
    }
}
