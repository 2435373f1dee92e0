package realtimedataplatform;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a query has to know of its latest micro-batches: a file for each, written whole before the micro-batch is committed.
 *
 * <p>A micro-batch that is repeated knows of those before it only, so it finds what it did the first time.
 */
final class Journal {
    private static final String UNFINISHED = ".new";

    private final Path folder;
    private final String missing;

    /**
     * @param folder where the files are.
     * @param missing what happens, and what to do, when the file of the micro-batch before is not there.
     */
    Journal(String folder, String missing) {
        this.folder = Path.of(folder);
        this.missing = missing;
    }

    /**
     * The files of the micro-batches before this one, from the first to the last.
     *
     * @throws IOException if that of the last is not there.
     */
    List<Path> before(long batchId) throws IOException {
        Files.createDirectories(folder);
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.endsWith(UNFINISHED))
                    .mapToLong(Long::parseLong)
                    .filter(number -> number < batchId)
                    .sorted()
                    .forEach(number -> found.add(file(number)));
        }
        Path last = file(batchId - 1);
        if (batchId > 0 && (found.isEmpty() || !found.get(found.size() - 1).equals(last))) {
            throw new IOException(last + " is not there: " + missing);
        }
        return found;
    }

    /** Keeps what there is to know of a micro-batch. */
    Path write(long batchId, ByteBuffer content) throws IOException {
        Path unfinished = folder.resolve(batchId + UNFINISHED);
        Files.write(unfinished, content.array());
        return Files.move(
                unfinished, file(batchId), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private Path file(long batchId) {
        return folder.resolve(Long.toString(batchId));
    }
}
