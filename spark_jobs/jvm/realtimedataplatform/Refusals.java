package realtimedataplatform;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Why events are refused, as rows {@code stage, reason, field, expected, found, contract}. */
final class Refusals {
    static final String MASK = "***";
    private static final int SHOWN_CHARACTERS = 100;

    private Refusals() {}

    static Row row(String stage, String reason, String field, String expected, String found, String contract) {
        return RowFactory.create(stage, reason, field, expected, shortened(found), contract);
    }

    /** A value as people read it. */
    static String shown(Object value) {
        return value instanceof String text ? text : json(value);
    }

    private static String shortened(String text) {
        int most = Math.min(SHOWN_CHARACTERS, text.codePointCount(0, text.length()));
        return text.substring(0, text.offsetByCodePoints(0, most));
    }

    private static String json(Object value) {
        if (value == StrictJson.NULL) {
            return "null";
        }
        if (value instanceof Map<?, ?> fields) {
            return fields.entrySet().stream()
                    .map(field -> quoted((String) field.getKey()) + ":" + json(field.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> items) {
            return items.stream().map(Refusals::json).collect(Collectors.joining(",", "[", "]"));
        }
        return value instanceof String text ? quoted(text) : value.toString();
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
