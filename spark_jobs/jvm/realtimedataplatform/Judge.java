package realtimedataplatform;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF4;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;

/**
 * Judges a record: topic, key, value and Kafka's time in microseconds give the conformed event or the refusal.
 *
 * <p>The contracts arrive as the JSON that {@code spark_jobs/transforms/judge.py} derives from them.
 */
public final class Judge implements UDF4<String, byte[], byte[], Long, Row> {
    private static final long serialVersionUID = 1L;

    private final String contracts;
    private transient volatile Map<String, Object> plan;
    private transient Map<String, Contract[]> byTopic;
    private transient int maxBytes;
    private transient int maxDepth;

    public Judge(String contracts) {
        this.contracts = contracts;
    }

    /**
     * The judge as a function of Spark.
     *
     * @param resultDdl type of its result. Held for deterministic, it would be called in a filter and again behind it.
     */
    public static UserDefinedFunction function(String contracts, String resultDdl) {
        return functions.udf(new Judge(contracts), DataType.fromDDL(resultDdl)).asNondeterministic();
    }

    @Override
    public Row call(String topic, byte[] key, byte[] value, Long kafkaMicros) throws IOException {
        if (plan == null) {
            prepare();
        }
        Contract[] versions = byTopic.get(topic);
        if (versions == null) {
            return refused("unknown_topic", "", "a topic with a contract", topic);
        }
        if (value == null) {
            return refused("missing_value", "", "a JSON object", "nothing");
        }
        String size = value.length + " bytes";
        if (value.length > maxBytes) {
            return refused("too_large", "", "at most " + maxBytes + " bytes", size);
        }
        String text = StrictJson.decode(value);
        if (text == null) {
            return refused("invalid_utf8", "", "UTF-8", size);
        }
        if (StrictJson.isTooDeep(text, maxDepth)) {
            return refused("too_deep", "", "at most " + maxDepth + " levels", size);
        }
        Object event;
        try {
            event = StrictJson.parse(text);
        } catch (IOException e) {
            return refused("malformed_json", "", "strict JSON, no key twice", size);
        }
        return event instanceof Map ? judged(topic, versions, fields(event), key, kafkaMicros) : refused("wrong_type", "", "type object", size);
    }

    private Row judged(String topic, Contract[] versions, Map<String, Object> event, byte[] key, Long kafkaMicros) {
        Object version = event.get("schema_version");
        if (version == null) {
            return refused("missing_field", "schema_version", known(topic), "nothing");
        }
        if (!Rule.isWhole(version)) {
            return refused("wrong_type", "schema_version", "type integer", Refusals.shown(version));
        }
        for (Contract contract : versions) {
            if (contract.version == ((Number) version).doubleValue()) {
                Row refusal = contract.refusal(event, key, kafkaMicros);
                return RowFactory.create(refusal == null ? contract.conformed(event) : null, refusal);
            }
        }
        return refused("unknown_version", "schema_version", known(topic), Refusals.shown(version));
    }

    private Row refused(String reason, String field, String expected, String found) {
        String stage = (String) fields(plan.get("stages")).get(reason);
        return RowFactory.create(null, Refusals.row(stage, reason, field, expected, found, ""));
    }

    private String known(String topic) {
        return (String) fields(plan.get("versions")).get(topic);
    }

    private synchronized void prepare() throws IOException {
        if (plan != null) {
            return;
        }
        Map<String, Object> read = fields(StrictJson.parse(contracts));
        Map<String, Contract[]> topics = new HashMap<>();
        fields(read.get("topics")).forEach((topic, versions) -> topics.put(
                topic, ((List<?>) versions).stream().map(c -> new Contract(fields(c))).toArray(Contract[]::new)));
        maxBytes = ((Number) read.get("max_bytes")).intValue();
        maxDepth = ((Number) read.get("max_depth")).intValue();
        byTopic = topics;
        plan = read;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> fields(Object object) {
        return (Map<String, Object>) object;
    }
}
