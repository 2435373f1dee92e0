package realtimedataplatform;

import java.util.Collections;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.RDDScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import scala.runtime.AbstractPartialFunction;

/**
 * A computation that Spark plans once, and does for the rows of one micro-batch after the other.
 *
 * <p>Analysis, optimization and planning of the same computation again took longer than doing it. What Spark decides while
 * it plans stays as it was: a computation that asks for the current time would be told that of its planning.
 */
public final class Planned {
    private final int width;
    private final SparkPlan plan;

    /**
     * @param computed what is to be computed of a frame that {@link #input} gave.
     */
    public Planned(Dataset<Row> computed) {
        width = computed.schema().size();
        plan = ((org.apache.spark.sql.classic.Dataset<Row>) computed).queryExecution().executedPlan();
    }

    /** A frame without rows, in the place of those that come. */
    public static Dataset<Row> input(Dataset<Row> like) {
        SparkSession spark = (SparkSession) like.sparkSession();
        RDD<InternalRow> none = new JavaSparkContext(spark.sparkContext())
                .parallelize(Collections.<InternalRow>emptyList(), 1)
                .rdd();
        return spark.internalCreateDataFrame(none, like.schema(), false);
    }

    /** What is computed of a micro-batch's rows: texts without line breaks, each in a line of its own. */
    public String lines(Dataset<Row> rows) {
        StringBuilder text = new StringBuilder();
        for (InternalRow row : with(rows).executeCollect()) {
            for (int column = 0; column < width; column++) {
                text.append(row.getUTF8String(column).toString()).append('\n');
            }
        }
        return text.toString();
    }

    private SparkPlan with(Dataset<Row> rows) {
        RDD<InternalRow> content = ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd();
        return (SparkPlan) plan.transformUp(new Exchange(content));
    }

    private static final class Exchange extends AbstractPartialFunction<SparkPlan, SparkPlan> {
        private final RDD<InternalRow> content;

        Exchange(RDD<InternalRow> content) {
            this.content = content;
        }

        @Override
        public boolean isDefinedAt(SparkPlan node) {
            return node instanceof RDDScanExec;
        }

        @Override
        public SparkPlan apply(SparkPlan node) {
            RDDScanExec scan = (RDDScanExec) node;
            return scan.copy(
                    scan.output(),
                    content,
                    scan.name(),
                    scan.outputPartitioning(),
                    scan.outputOrdering(),
                    scan.stream());
        }
    }
}
