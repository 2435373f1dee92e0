package realtimedataplatform;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Delta's log on a local disk, safe for several processes: a version is a hard link to its finished file.
 *
 * <p>The file system makes a link only where nothing has its name, in one step. Delta's own store for local disks looks
 * first and renames then, which is one step within one JVM only: of two processes that commit at once, one would write
 * over the other's version, and its rows would be gone.
 */
public final class LinkedLogStore extends HadoopFileSystemLogStore {
    public LinkedLogStore(Configuration configuration) {
        super(configuration);
    }

    /**
     * Writes a version of the log.
     *
     * @throws java.nio.file.FileAlreadyExistsException if somebody else has written it; Delta then tries the next one.
     */
    @Override
    public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
            throws IOException {
        java.nio.file.Path target = Paths.get(path.toUri().getPath());
        java.nio.file.Path draft = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
        try {
            try (BufferedWriter out = Files.newBufferedWriter(draft, StandardCharsets.UTF_8)) {
                while (actions.hasNext()) {
                    out.write(actions.next());
                    out.write('\n');
                }
            }
            if (overwrite) {
                Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.createLink(target, draft);
            }
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /** Nobody sees a file that is not whole. */
    @Override
    public Boolean isPartialWriteVisible(Path path, Configuration configuration) {
        return false;
    }
}
