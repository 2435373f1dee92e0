package realtimedataplatform;

/** The latest sightings of each customer, or of each device, within a span of time: each leads to the one before it. */
final class Trail {
    private static final int FIRST_PLACES = 1024;

    private final boolean ofUser;
    private Sighting[] latest = new Sighting[FIRST_PLACES];
    private int subjects;

    Trail(boolean ofUser) {
        this.ofUser = ofUser;
    }

    /** The latest sighting of a subject; null when there is none. */
    Sighting latest(long subject) {
        return latest[find(latest, subject)];
    }

    void add(Sighting sighting) {
        int place = find(latest, sighting.subject(ofUser));
        Sighting before = latest[place];
        if (ofUser) {
            sighting.beforeOfUser = before;
        } else {
            sighting.beforeOfDevice = before;
        }
        latest[place] = sighting;
        if (before == null && ++subjects > latest.length / 2) {
            grow();
        }
    }

    private void grow() {
        Sighting[] larger = new Sighting[Math.multiplyExact(2, latest.length)];
        for (Sighting sighting : latest) {
            if (sighting != null) {
                larger[find(larger, sighting.subject(ofUser))] = sighting;
            }
        }
        latest = larger;
    }

    /** Where a subject is, or the free place where it belongs. */
    private int find(Sighting[] places, long subject) {
        int mask = places.length - 1;
        int place = (int) (subject ^ subject >>> 32) & mask;
        while (places[place] != null && places[place].subject(ofUser) != subject) {
            place = place + 1 & mask;
        }
        return place;
    }
}
