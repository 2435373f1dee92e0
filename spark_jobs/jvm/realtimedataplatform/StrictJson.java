package realtimedataplatform;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Strict JSON: no key twice, no NaN, no half of a surrogate pair, nothing after the value. */
final class StrictJson {
    /** JSON's null: a field that is there, unlike a field that is not. */
    static final Object NULL = new Object();

    private static final JsonFactory FACTORY =
            new JsonFactoryBuilder().configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false).build();

    private StrictJson() {}

    /** The text of UTF-8 bytes, null when they are something else. */
    static String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /**
     * Whether brackets outside of texts are nested too deeply to be read; asked before the text is parsed, so it takes
     * any text.
     */
    static boolean isTooDeep(String text, int most) {
        int opening = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '[' || c == '{') {
                opening++;
            }
        }
        return opening > most && depth(withoutEscapes(text), most) > most;
    }

    private static String withoutEscapes(String text) {
        StringBuilder kept = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\' && i + 1 < text.length()) {
                i++;
            } else {
                kept.append(text.charAt(i));
            }
        }
        return kept.toString();
    }

    private static int depth(String text, int most) {
        int depth = 0;
        for (int i = 0; i < text.length() && depth <= most; i++) {
            char c = text.charAt(i);
            if (c == '"') {
                int end = text.indexOf('"', i + 1);
                i = end < 0 ? i : end;
            } else if (c == '[' || c == '{') {
                depth++;
            } else if (c == ']' || c == '}') {
                depth--;
            }
        }
        return depth;
    }

    /**
     * The value of a text: Map, List, String, Long, Double, Boolean or NULL.
     *
     * @throws IOException if the text is not strict JSON.
     */
    static Object parse(String text) throws IOException {
        boolean escapesUnicode = text.contains("\\u");
        try (JsonParser parser = FACTORY.createParser(text)) {
            parser.nextToken();
            Object value = value(parser, escapesUnicode);
            if (parser.nextToken() != null) {
                throw new IOException("more than one value");
            }
            return value;
        }
    }

    private static Object value(JsonParser parser, boolean escapesUnicode) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null) {
            throw new IOException("no value");
        }
        return switch (token) {
            case START_OBJECT -> object(parser, escapesUnicode);
            case START_ARRAY -> array(parser, escapesUnicode);
            case VALUE_STRING -> whole(parser.getText(), escapesUnicode);
            case VALUE_NUMBER_INT -> integer(parser);
            case VALUE_NUMBER_FLOAT -> Double.parseDouble(parser.getText());
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> NULL;
            default -> throw new IOException("no value: " + token);
        };
    }

    private static Map<String, Object> object(JsonParser parser, boolean escapesUnicode) throws IOException {
        Map<String, Object> fields = new HashMap<>(32);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = whole(parser.currentName(), escapesUnicode);
            parser.nextToken();
            if (fields.put(name, value(parser, escapesUnicode)) != null) {
                throw new IOException("a key occurs twice");
            }
        }
        return fields;
    }

    private static List<Object> array(JsonParser parser, boolean escapesUnicode) throws IOException {
        List<Object> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(value(parser, escapesUnicode));
        }
        return items;
    }

    private static Object integer(JsonParser parser) throws IOException {
        JsonParser.NumberType type = parser.getNumberType();
        boolean fits = type == JsonParser.NumberType.INT || type == JsonParser.NumberType.LONG;
        // What is too long for a long is refused by its range, if its field has one.
        return fits ? (Object) parser.getLongValue() : (Object) Double.parseDouble(parser.getText());
    }

    private static String whole(String text, boolean escapesUnicode) throws IOException {
        for (int i = 0; escapesUnicode && i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw new IOException("half of a surrogate pair");
            }
        }
        return text;
    }
}
