import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flume.ChannelFullException;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.Transaction;
import org.apache.flume.channel.file.FileChannel;
import org.apache.flume.event.EventBuilder;

/**
 * Apache Flume's file channel with its defaults, driven from another process: one command a line on stdin, one JSON
 * document a line on stdout. The same works as forebay's own benchmarks, counted in the same way, so that both can
 * be measured in turns on one disk.
 *
 * <pre>
 *     put   DIR PRODUCERS BATCH BODY-BYTES WINDOW-MS
 *     take  DIR CONSUMERS BATCH WINDOW-MS                       starts what was filled and drains it
 *     mixed DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS
 *     fill  DIR EVENTS BODY-BYTES close|hang                    hang: the channel stays open, to be killed
 *     open  DIR BODY-BYTES                                      with what is there; a first put, a first take
 * </pre>
 *
 * DIR is emptied first, but for take and open. The end of stdin ends the process at once. `cpuCores` in an answer: CPU
 * time of the process by wall time, while the work went on.
 */
public final class FlumeChannelServer {
  /** Flume's default; producers stop below it, since a full channel only waits. */
  private static final long CAPACITY = 1_000_000;
  private static final long CAPACITY_KEPT_FREE = 64_000;
  private static final int FILL_BATCH = 1000;
  private static final int FILL_PRODUCERS = 4;

  public static void main(String[] args) throws Exception {
    CommandLoop.run(FlumeChannelServer::answer);
  }

  private static String answer(String[] words) throws Exception {
    Path directory = Path.of(words[1]);
    long[] numbers = Arrays.stream(words).skip(2).filter(word -> word.matches("\\d+")).mapToLong(Long::parseLong).toArray();
    return switch (words[0]) {
      case "put" -> put(directory, (int) numbers[0], (int) numbers[1], (int) numbers[2], numbers[3]);
      case "take" -> take(directory, (int) numbers[0], (int) numbers[1], numbers[2]);
      case "mixed" -> mixed(directory, numbers);
      case "fill" -> fill(directory, numbers[0], (int) numbers[1], words[4].equals("close"));
      case "open" -> open(directory, (int) numbers[0]);
      default -> throw new IllegalArgumentException("no such command: " + words[0]);
    };
  }

  private static String put(Path directory, int producers, int batch, int bodyBytes, long windowMs) throws Exception {
    FileChannel channel = fresh(directory);
    List<Samples> puts = Samples.of(producers);
    Workers.Ran ran = Workers.run(windowMs, putters(puts, channel, batch, bodyBytes, new AtomicLong()));
    channel.stop();
    return "{\"put\":" + Samples.json(puts, ran.start()) + "," + ran.json() + "}";
  }

  private static String take(Path directory, int consumers, int batch, long windowMs) throws Exception {
    FileChannel channel = start(directory);
    List<Samples> takes = Samples.of(consumers);
    Workers.Ran ran = Workers.run(windowMs, takers(takes, channel, batch, true));
    channel.stop();
    return "{\"taken\":" + Samples.json(takes, ran.start()) + "," + ran.json() + "}";
  }

  private static String mixed(Path directory, long[] numbers) throws Exception {
    FileChannel channel = fresh(directory);
    List<Samples> puts = Samples.of((int) numbers[0]);
    List<Samples> takes = Samples.of((int) numbers[1]);
    int batch = (int) numbers[2];
    // A producer may go as far ahead of the takers as the channel holds; then it waits, as it would in an agent.
    List<Workers.Task> both = new ArrayList<>(putters(puts, channel, batch, (int) numbers[3], null));
    both.addAll(takers(takes, channel, batch, false));
    Workers.Ran ran = Workers.run(numbers[4], both);
    channel.stop();
    String sides = "\"put\":" + Samples.json(puts, ran.start()) + ",\"taken\":" + Samples.json(takes, ran.start());
    return "{" + sides + "," + ran.json() + "}";
  }

  private static String fill(Path directory, long events, int bodyBytes, boolean closes) throws Exception {
    FileChannel channel = fresh(directory);
    long start = System.nanoTime();
    fillWith(channel, events, bodyBytes);
    long filled = System.nanoTime();
    if (closes) channel.stop();
    double closeMs = (System.nanoTime() - filled) / 1e6;
    return String.format(Locale.ROOT, "{\"fillMs\":%.1f,\"closeMs\":%.1f}", (filled - start) / 1e6, closeMs);
  }

  private static String open(Path directory, int bodyBytes) throws Exception {
    long start = System.nanoTime();
    FileChannel channel = start(directory);
    long opened = System.nanoTime();
    // Room for the first put is made by the first take: the channel may be filled up to its capacity.
    boolean took = takeBatch(channel, 1, null) == 1;
    long taken = System.nanoTime();
    putBatch(channel, 1, new byte[bodyBytes]);
    long put = System.nanoTime();
    double openMs = (opened - start) / 1e6;
    double takeMs = (taken - opened) / 1e6;
    double putMs = openMs + (put - taken) / 1e6;
    String format = "{\"openMs\":%.2f,\"firstPutMs\":%.2f,\"firstTakeMs\":%.2f,\"took\":%b,\"rssBytes\":%d}";
    return String.format(Locale.ROOT, format, openMs, putMs, takeMs, took, residentBytes());
  }

  // — the channel —

  private static FileChannel fresh(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (var paths = Files.walk(directory)) {
        paths.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
      }
    }
    return start(directory);
  }

  private static FileChannel start(Path directory) {
    Context context = new Context();
    context.put("checkpointDir", directory.resolve("checkpoint").toString());
    context.put("dataDirs", directory.resolve("data").toString());
    FileChannel channel = new FileChannel();
    channel.setName("bench");
    channel.configure(context);
    channel.start();
    if (!channel.isOpen()) throw new IllegalStateException("the channel did not open");
    return channel;
  }

  private static void putBatch(FileChannel channel, int batch, byte[] body) {
    Transaction transaction = channel.getTransaction();
    transaction.begin();
    try {
      for (int count = 0; count < batch; count++) channel.put(EventBuilder.withBody(body.clone()));
      transaction.commit();
    } catch (RuntimeException error) {
      transaction.rollback();
      throw error;
    } finally {
      transaction.close();
    }
  }

  /** Takes up to `batch` events and commits them; adds how long the commit took. */
  private static int takeBatch(FileChannel channel, int batch, Samples samples) {
    Transaction transaction = channel.getTransaction();
    transaction.begin();
    try {
      int count = 0;
      for (Event event = channel.take(); event != null; event = channel.take()) {
        count++;
        if (count == batch) break;
      }
      long before = System.nanoTime();
      transaction.commit();
      if (samples != null && count > 0) samples.add(count, before, System.nanoTime());
      return count;
    } catch (RuntimeException error) {
      transaction.rollback();
      throw error;
    } finally {
      transaction.close();
    }
  }

  private static void fillWith(FileChannel channel, long events, int bodyBytes) throws Exception {
    AtomicLong left = new AtomicLong(events);
    byte[] body = Workers.body(0, bodyBytes);
    Workers.Task fill = deadline -> {
      while (true) {
        long before = left.getAndAdd(-FILL_BATCH);
        if (before <= 0) return;
        putBatch(channel, (int) Math.min(before, FILL_BATCH), body);
      }
    };
    Workers.run(0, Collections.nCopies(FILL_PRODUCERS, fill));
  }

  // — the work —

  /** `reserved` counts what was put, so that producers end before the channel is full; null: they wait then. */
  private static List<Workers.Task> putters(List<Samples> sides, FileChannel channel, int batch, int bodyBytes,
      AtomicLong reserved) {
    List<Workers.Task> tasks = new ArrayList<>();
    for (Samples mine : sides) {
      byte[] body = Workers.body(tasks.size(), bodyBytes);
      tasks.add(deadline -> putUntil(deadline, mine, channel, batch, body, reserved));
    }
    return tasks;
  }

  private static void putUntil(long deadline, Samples mine, FileChannel channel, int batch, byte[] body,
      AtomicLong reserved) {
    while (System.nanoTime() < deadline) {
      if (reserved != null && reserved.addAndGet(batch) > CAPACITY - CAPACITY_KEPT_FREE) return;
      long before = System.nanoTime();
      try {
        putBatch(channel, batch, body);
      } catch (ChannelFullException full) {
        continue;
      }
      mine.add(batch, before, System.nanoTime());
    }
  }

  private static List<Workers.Task> takers(List<Samples> sides, FileChannel channel, int batch, boolean untilEmpty) {
    List<Workers.Task> tasks = new ArrayList<>();
    for (Samples mine : sides) {
      tasks.add(deadline -> {
        while (System.nanoTime() < deadline) {
          if (takeBatch(channel, batch, mine) == 0 && untilEmpty) return;
        }
      });
    }
    return tasks;
  }

  private static long residentBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
    }
    return 0;
  }
}
