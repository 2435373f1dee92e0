package realtimedataplatform;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.spark.sql.streaming.StreamingQueryListener;

/**
 * Keeps what Spark tells of its queries, as JSON, until it is asked for.
 *
 * <p>A listener written in Python is called for each event, and asks back for each of its fields: a tenth of a core.
 */
public final class ProgressQueue extends StreamingQueryListener {
    private final ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();

    /** What was told since this was last called: a line for each event, its kind before its JSON. */
    public String take() {
        List<String> lines = new ArrayList<>();
        for (String line = told.poll(); line != null; line = told.poll()) {
            lines.add(line);
        }
        return String.join("\n", lines);
    }

    @Override
    public void onQueryStarted(QueryStartedEvent event) {
        told.add("started " + event.json());
    }

    @Override
    public void onQueryProgress(QueryProgressEvent event) {
        told.add("progress " + event.progress().json());
    }

    @Override
    public void onQueryIdle(QueryIdleEvent event) {
        told.add("idle " + event.json());
    }

    @Override
    public void onQueryTerminated(QueryTerminatedEvent event) {
        told.add("terminated " + event.json());
    }
}
