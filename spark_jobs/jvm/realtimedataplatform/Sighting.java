package realtimedataplatform;

import java.nio.ByteBuffer;

/** One event as the fraud patterns remember it: who did it on which device, when, where, and what of it counts. */
final class Sighting {
    /** Bytes of it in a file. */
    static final int BYTES = 5 * Long.BYTES + 2 * Float.BYTES + 1;
    /** What stands for no device, no order and no card. */
    static final long NONE = 0;

    static final byte ADDRESS_CHANGED = 1;
    static final byte HIGH_ORDER = 2;

    final long user;
    final long device;
    /** When it happened, in microseconds. */
    final long micros;
    final long order;
    final long smallCard;
    /** Degrees; not a number where it is not known. */
    final float latitude;

    final float longitude;
    final byte marks;
    /** The one before it of the same customer, and of the same device, in the order of arrival. */
    Sighting beforeOfUser;

    Sighting beforeOfDevice;

    Sighting(
            long user, long device, long micros, long order, long smallCard, float latitude, float longitude, byte marks) {
        this.user = user;
        this.device = device;
        this.micros = micros;
        this.order = order;
        this.smallCard = smallCard;
        this.latitude = latitude;
        this.longitude = longitude;
        this.marks = marks;
    }

    static Sighting from(ByteBuffer bytes) {
        return new Sighting(
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getFloat(),
                bytes.getFloat(),
                bytes.get());
    }

    void writeTo(ByteBuffer bytes) {
        bytes.putLong(user).putLong(device).putLong(micros).putLong(order).putLong(smallCard);
        bytes.putFloat(latitude).putFloat(longitude).put(marks);
    }

    boolean is(byte mark) {
        return (marks & mark) != 0;
    }

    long subject(boolean ofUser) {
        return ofUser ? user : device;
    }

    Sighting before(boolean ofUser) {
        return ofUser ? beforeOfUser : beforeOfDevice;
    }
}
