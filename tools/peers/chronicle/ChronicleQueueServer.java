import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.RollCycles;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;

/**
 * Chronicle Queue with its defaults, driven from another process: one command a line on stdin, one JSON document a
 * line on stdout. It writes into mapped memory and syncs nothing: what it acknowledged is in the page cache.
 *
 * <pre>
 *     put   DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    ends early at EVENTS, where that is not 0
 *     fill  DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    puts EVENTS
 *     take  DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    drains what is there
 *     mixed DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS
 * </pre>
 *
 * The one consumer is a named tailer, whose position is kept. The end of stdin ends the process at once.
 */
public final class ChronicleQueueServer {
  private static final int FILL_BATCH = 1000;
  /** Written ahead of by the library: large enough that mapping the next piece is rare. */
  private static final long BLOCK_BYTES = 256L << 20;

  public static void main(String[] args) throws Exception {
    CommandLoop.run(ChronicleQueueServer::answer);
  }

  private static String answer(String[] words) throws Exception {
    int[] numbers = Arrays.stream(words).skip(2).mapToInt(Integer::parseInt).toArray();
    Work work = new Work(words[0], Path.of(words[1]), numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    if (!work.kind.equals("put") && work.consumers != 1) throw new IllegalArgumentException("one tailer only");
    if (work.kind.equals("fill")) return fill(work);
    try (ChronicleQueue queue = open(work.directory)) {
      return run(work, queue);
    }
  }

  private record Work(String kind, Path directory, int producers, int consumers, int batch, int bodyBytes, int windowMs,
      int events) {}

  private static ChronicleQueue open(Path directory) {
    return SingleChronicleQueueBuilder.single(directory.toFile()).rollCycle(RollCycles.FAST_DAILY).blockSize(BLOCK_BYTES).build();
  }

  private static String fill(Work work) {
    byte[] body = Workers.body(0, work.bodyBytes);
    try (ChronicleQueue queue = open(work.directory); ExcerptAppender appender = queue.createAppender()) {
      Bytes<?> bytes = Bytes.wrapForRead(body);
      for (int left = work.events; left > 0; left -= FILL_BATCH) append(appender, bytes, Math.min(left, FILL_BATCH), body.length);
    }
    return "{}";
  }

  private static String run(Work work, ChronicleQueue queue) throws Exception {
    List<Samples> put = Samples.of(work.kind.equals("take") ? 0 : work.producers);
    List<Samples> taken = Samples.of(work.kind.equals("put") ? 0 : 1);
    List<Workers.Task> tasks = new ArrayList<>();
    // Appenders of several threads would spin for the queue's lock; whoever has many writers gives them turns.
    ReentrantLock turn = new ReentrantLock();
    AtomicLong reserved = new AtomicLong();
    for (Samples mine : put) {
      byte[] body = Workers.body(tasks.size(), work.bodyBytes);
      tasks.add(deadline -> produce(work, queue, mine, body, turn, reserved, deadline));
    }
    for (Samples mine : taken) tasks.add(deadline -> consume(work, queue, mine, deadline));
    Workers.Ran ran = Workers.run(work.windowMs, tasks);
    String puts = put.isEmpty() ? "" : "\"put\":" + Samples.json(put, ran.start()) + ",";
    String takes = taken.isEmpty() ? "" : "\"taken\":" + Samples.json(taken, ran.start()) + ",";
    return "{" + puts + takes + ran.json() + "}";
  }

  private static void produce(Work work, ChronicleQueue queue, Samples mine, byte[] body, ReentrantLock turn,
      AtomicLong reserved, long deadline) {
    Bytes<?> bytes = Bytes.wrapForRead(body);
    try (ExcerptAppender appender = queue.createAppender()) {
      while (System.nanoTime() < deadline) {
        long total = reserved.addAndGet(work.batch);
        if (work.kind.equals("put") && work.events > 0 && total > work.events) return;
        long before = System.nanoTime();
        turn.lock();
        try {
          append(appender, bytes, work.batch, body.length);
        } finally {
          turn.unlock();
        }
        mine.add(work.batch, before, System.nanoTime());
      }
    }
  }

  private static void append(ExcerptAppender appender, Bytes<?> bytes, int count, int length) {
    for (int index = 0; index < count; index++) {
      bytes.readPositionRemaining(0, length);
      appender.writeBytes(bytes);
    }
  }

  /** There is no commit: a batch counts from its first read to its last. */
  private static void consume(Work work, ChronicleQueue queue, Samples mine, long deadline) {
    Bytes<?> bytes = Bytes.allocateElasticDirect(2L * work.bodyBytes);
    try (ExcerptTailer tailer = queue.createTailer("taker")) {
      while (System.nanoTime() < deadline) {
        long before = System.nanoTime();
        int count = 0;
        while (count < work.batch) {
          bytes.clear();
          if (!tailer.readBytes(bytes)) break;
          count++;
        }
        if (count > 0) mine.add(count, before, System.nanoTime());
        else if (work.kind.equals("take")) return;
      }
    } finally {
      bytes.releaseLast();
    }
  }
}
