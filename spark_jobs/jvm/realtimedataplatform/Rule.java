package realtimedataplatform;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** One check of a contract, as {@code include.contracts.rules.Check} describes it. */
final class Rule {
    final String[] path;
    final String field;
    final String stage;
    final String reason;
    final String expected;
    final boolean personal;
    /** The rules of an array's items, for the keyword {@code each}. */
    final Rule[] items;

    private final String keyword;
    private final Object argument;
    private final double limit;

    Rule(Map<String, Object> rule) {
        path = ((List<?>) rule.get("path")).toArray(new String[0]);
        field = (String) rule.get("field");
        stage = (String) rule.get("stage");
        reason = (String) rule.get("reason");
        expected = (String) rule.get("expected");
        personal = (Boolean) rule.get("personal");
        keyword = (String) rule.get("keyword");
        items = keyword.equals("each") ? all(rule.get("argument")) : null;
        argument = prepared(rule.get("argument"));
        limit = argument instanceof Number number ? number.doubleValue() : 0;
    }

    @SuppressWarnings("unchecked")
    static Rule[] all(Object rules) {
        return ((List<Map<String, Object>>) rules).stream().map(Rule::new).toArray(Rule[]::new);
    }

    private Object prepared(Object given) {
        return switch (keyword) {
            case "pattern" -> Pattern.compile((String) given);
            case "enum", "required" -> given == StrictJson.NULL ? null : Set.copyOf((List<?>) given);
            default -> given;
        };
    }

    /** Whether an event without this rule's field breaks it. */
    boolean isMissed(Object eventType) {
        return keyword.equals("required") && (argument == null || eventType instanceof String && ((Set<?>) argument).contains(eventType));
    }

    /** Whether a value keeps this rule; its type was looked at by an earlier rule. */
    boolean holds(Object value) {
        return switch (keyword) {
            case "required", "each" -> true;
            case "type" -> isA((String) argument, value);
            case "enum" -> ((Set<?>) argument).contains(value);
            case "const" -> argument instanceof Number ? ((Number) value).doubleValue() == limit : value.equals(argument);
            case "pattern" -> ((Pattern) argument).matcher((String) value).matches();
            case "format" -> Instants.isOne((String) value);
            case "minLength" -> length(value) >= limit;
            case "maxLength" -> length(value) <= limit;
            case "minimum" -> ((Number) value).doubleValue() >= limit;
            case "maximum" -> ((Number) value).doubleValue() <= limit;
            case "minItems" -> ((List<?>) value).size() >= limit;
            case "maxItems" -> ((List<?>) value).size() <= limit;
            default -> throw new IllegalStateException("no such keyword: " + keyword);
        };
    }

    private static int length(Object text) {
        return ((String) text).codePointCount(0, ((String) text).length());
    }

    private static boolean isA(String type, Object value) {
        return switch (type) {
            case "string" -> value instanceof String;
            case "boolean" -> value instanceof Boolean;
            case "object" -> value instanceof Map;
            case "array" -> value instanceof List;
            case "number" -> value instanceof Number;
            case "integer" -> isWhole(value);
            default -> throw new IllegalStateException("no such type: " + type);
        };
    }

    /** As JSON Schema has it, 1.0 is an integer. What is too large for a double is whole; its range refuses it. */
    static boolean isWhole(Object value) {
        return value instanceof Long || value instanceof Double d && (d.isInfinite() || d % 1 == 0);
    }
}
