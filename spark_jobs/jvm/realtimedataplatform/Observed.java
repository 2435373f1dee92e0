package realtimedataplatform;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.XXH64;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/** Reads rows that the fraud patterns look at. */
final class Observed {
    private static final long SEED = 42;

    private final int user;
    private final int device;
    private final int time;
    private final int order;
    private final int smallCard;
    private final int latitude;
    private final int longitude;
    private final int addressChanged;
    private final int highOrder;

    Observed(StructType schema) {
        user = schema.fieldIndex("user_id");
        device = schema.fieldIndex("device_id");
        time = schema.fieldIndex("event_time");
        order = schema.fieldIndex("counted_order");
        smallCard = schema.fieldIndex("small_card");
        latitude = schema.fieldIndex("latitude");
        longitude = schema.fieldIndex("longitude");
        addressChanged = schema.fieldIndex("address_changed");
        highOrder = schema.fieldIndex("high_order");
    }

    UTF8String subject(InternalRow row, boolean ofUser) {
        return row.getUTF8String(ofUser ? user : device);
    }

    Sighting sighting(InternalRow row) {
        byte marks = 0;
        marks |= isTrue(row, addressChanged) ? Sighting.ADDRESS_CHANGED : 0;
        marks |= isTrue(row, highOrder) ? Sighting.HIGH_ORDER : 0;
        return new Sighting(
                hash(row, user),
                hash(row, device),
                row.getLong(time),
                hash(row, order),
                hash(row, smallCard),
                degrees(row, latitude),
                degrees(row, longitude),
                marks);
    }

    private static boolean isTrue(InternalRow row, int column) {
        return !row.isNullAt(column) && row.getBoolean(column);
    }

    private static float degrees(InternalRow row, int column) {
        return row.isNullAt(column) ? Float.NaN : (float) row.getDouble(column);
    }

    private static long hash(InternalRow row, int column) {
        if (row.isNullAt(column)) {
            return Sighting.NONE;
        }
        UTF8String text = row.getUTF8String(column);
        long hash = XXH64.hashUnsafeBytes(text.getBaseObject(), text.getBaseOffset(), text.numBytes(), SEED);
        return hash == Sighting.NONE ? 1 : hash;
    }
}
