package realtimedataplatform;

import java.time.Instant;
import java.time.LocalDate;
import java.time.Month;
import java.time.Year;

/** Instants as the contracts write them: {@code 2026-03-01T10:00:00.000Z}, the pattern checked before. */
final class Instants {
    private Instants() {}

    /** Whether such a day and time exist. */
    static boolean isOne(String text) {
        int month = number(text, 5, 7);
        int day = number(text, 8, 10);
        return month >= 1
                && month <= 12
                && day >= 1
                && day <= Month.of(month).length(Year.isLeap(number(text, 0, 4)))
                && number(text, 11, 13) < 24
                && number(text, 14, 16) < 60
                && number(text, 17, 19) < 60;
    }

    static Instant of(String text) {
        return Instant.ofEpochSecond(0).plusMillis(millis(text));
    }

    /** Milliseconds since 1970. */
    static long millis(String text) {
        long day = LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10)).toEpochDay();
        long seconds = number(text, 11, 13) * 3600L + number(text, 14, 16) * 60L + number(text, 17, 19);
        return (day * 86_400 + seconds) * 1000 + number(text, 20, 23);
    }

    private static int number(String text, int from, int to) {
        int value = 0;
        for (int i = from; i < to; i++) {
            value = value * 10 + (text.charAt(i) - '0');
        }
        return value;
    }
}
