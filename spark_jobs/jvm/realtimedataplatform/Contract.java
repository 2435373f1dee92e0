package realtimedataplatform;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;

/** One version of a family's contract: its rules in the order in which faults are reported, and its columns. */
final class Contract {
    final double version;
    private final String name;
    private final Rule[] rules;
    private final Rule ancient;
    private final Rule future;
    private final Rule missingKey;
    private final Rule otherKey;
    private final Column[] columns;
    private final String oldest;
    private final long mostFutureMillis;

    Contract(Map<String, Object> contract) {
        version = ((Number) contract.get("version")).doubleValue();
        name = (String) contract.get("name");
        rules = Rule.all(contract.get("rules"));
        Rule[] more = Rule.all(contract.get("time_and_key"));
        ancient = more[0];
        future = more[1];
        missingKey = more[2];
        otherKey = more[3];
        columns = Column.all(contract.get("columns"));
        oldest = (String) contract.get("oldest");
        mostFutureMillis = ((Number) contract.get("most_future_seconds")).longValue() * 1000;
    }

    /** The conformed event. */
    Row conformed(Map<String, Object> event) {
        return Column.row(columns, event);
    }

    /** What is wrong with an event, null when nothing is. */
    Row refusal(Map<String, Object> event, byte[] key, Long kafkaMicros) {
        Object eventType = event.get("event_type");
        Row fault = firstFault(event, rules, eventType, "");
        if (fault == null) {
            fault = timeFault((String) event.get("event_time"), kafkaMicros);
        }
        return fault == null ? keyFault((String) at(event, otherKey.path), key) : fault;
    }

    /** The value at a path, null where there is none. */
    static Object at(Object event, String[] path) {
        for (String field : path) {
            if (!(event instanceof Map<?, ?> fields)) {
                return null;
            }
            event = fields.get(field);
        }
        return event;
    }

    private Row firstFault(Object event, Rule[] rules, Object eventType, String prefix) {
        for (Rule rule : rules) {
            Object value = at(event, rule.path);
            if (value == null) {
                if (rule.isMissed(eventType)) {
                    return refusal(rule, prefix, "nothing", false);
                }
            } else if (rule.items != null) {
                Row fault = firstBadItem(rule, (List<?>) value, eventType);
                if (fault != null) {
                    return fault;
                }
            } else if (!rule.holds(value)) {
                return refusal(rule, prefix, Refusals.shown(value), rule.personal);
            }
        }
        return null;
    }

    private Row firstBadItem(Rule rule, List<?> items, Object eventType) {
        for (int i = 0; i < items.size(); i++) {
            Row fault = firstFault(items.get(i), rule.items, eventType, rule.field + "[" + i + "]");
            if (fault != null) {
                return fault;
            }
        }
        return null;
    }

    private Row timeFault(String time, Long kafkaMicros) {
        if (time.compareTo(oldest) < 0) {
            return refusal(ancient, "", time, ancient.personal);
        }
        if (kafkaMicros != null && Instants.millis(time) * 1000 > kafkaMicros + mostFutureMillis * 1000) {
            return refusal(future, "", time, future.personal);
        }
        return null;
    }

    private Row keyFault(String expected, byte[] key) {
        if (key == null) {
            return refusal(missingKey, "", "nothing", false);
        }
        if (!Arrays.equals(key, expected.getBytes(StandardCharsets.UTF_8))) {
            return refusal(otherKey, "", new String(key, StandardCharsets.UTF_8), otherKey.personal);
        }
        return null;
    }

    private Row refusal(Rule rule, String prefix, String found, boolean masked) {
        String dot = prefix.isEmpty() || rule.field.isEmpty() ? "" : ".";
        return Refusals.row(rule.stage, rule.reason, prefix + dot + rule.field, rule.expected, masked ? Refusals.MASK : found, name);
    }
}
