package realtimedataplatform;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** How a column of the conformed event is read from an event that keeps its contract. */
final class Column {
    private final String[] path;
    private final String type;
    private final Column[] fields;

    Column(Map<String, Object> column) {
        path = ((List<?>) column.get("path")).toArray(new String[0]);
        type = (String) column.get("type");
        fields = type.equals("array") ? all(column.get("fields")) : null;
    }

    @SuppressWarnings("unchecked")
    static Column[] all(Object columns) {
        return ((List<Object>) columns)
                .stream().map(c -> c == StrictJson.NULL ? null : new Column((Map<String, Object>) c)).toArray(Column[]::new);
    }

    /** A row of columns; null where an event's family has no such column. */
    static Row row(Column[] columns, Object event) {
        Object[] values = new Object[columns.length];
        for (int i = 0; i < columns.length; i++) {
            values[i] = columns[i] == null ? null : columns[i].read(event);
        }
        return RowFactory.create(values);
    }

    private Object read(Object event) {
        Object value = Contract.at(event, path);
        if (value == null) {
            return null;
        }
        return switch (type) {
            case "string", "boolean" -> value;
            case "double" -> ((Number) value).doubleValue();
            case "int" -> ((Number) value).intValue();
            case "bigint" -> value instanceof Double d && Math.abs(d) >= 0x1p63 ? null : (Object) ((Number) value).longValue();
            case "timestamp" -> Instants.of((String) value);
            case "decimal" -> new BigDecimal((String) value);
            case "array" -> ((List<?>) value).stream().map(item -> row(fields, item)).toArray();
            default -> throw new IllegalStateException("no such type: " + type);
        };
    }
}
