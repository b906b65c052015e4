import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
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
 * DIR is emptied first, but for take and open. The end of stdin ends the process at once. `cpuCores` in an answer: CPU time of the
 * process by wall time, while the work went on.
 */
public final class FlumeChannelServer {
  /** Flume's default; producers stop below it, since a full channel only waits. */
  private static final long CAPACITY = 1_000_000;
  private static final long CAPACITY_KEPT_FREE = 64_000;
  private static final int FILL_BATCH = 1000;
  private static final int FILL_PRODUCERS = 4;

  public static void main(String[] args) throws Exception {
    LinkedBlockingQueue<String> commands = new LinkedBlockingQueue<>();
    Thread reader = new Thread(() -> read(commands));
    reader.setDaemon(true);
    reader.start();
    while (true) {
      System.out.println(answer(commands.take().trim().split(" ")));
      System.out.flush();
    }
  }

  /**
   * Whoever asked is gone at the end of stdin: nothing may go on writing, and threads of a channel that was left open
   * would keep the process.
   */
  private static void read(LinkedBlockingQueue<String> commands) {
    try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) commands.put(line);
    } catch (IOException | InterruptedException error) {
      System.err.println(error);
    }
    Runtime.getRuntime().halt(0);
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
    Side puts = new Side(producers);
    AtomicLong reserved = new AtomicLong();
    Ran ran = run(windowMs, List.of(putters(puts, channel, batch, bodyBytes, reserved)));
    channel.stop();
    return "{\"put\":" + puts.json(ran.start) + "," + ran.json() + "}";
  }

  private static String take(Path directory, int consumers, int batch, long windowMs) throws Exception {
    FileChannel channel = start(directory);
    Side takes = new Side(consumers);
    Ran ran = run(windowMs, List.of(takers(takes, channel, batch, true)));
    channel.stop();
    return "{\"taken\":" + takes.json(ran.start) + "," + ran.json() + "}";
  }

  private static String mixed(Path directory, long[] numbers) throws Exception {
    FileChannel channel = fresh(directory);
    Side puts = new Side((int) numbers[0]);
    Side takes = new Side((int) numbers[1]);
    int batch = (int) numbers[2];
    // A producer may go as far ahead of the takers as the channel holds; then it waits, as it would in an agent.
    Workers putters = putters(puts, channel, batch, (int) numbers[3], null);
    Ran ran = run(numbers[4], List.of(putters, takers(takes, channel, batch, false)));
    channel.stop();
    return "{\"put\":" + puts.json(ran.start) + ",\"taken\":" + takes.json(ran.start) + "," + ran.json() + "}";
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
    Workers workers = new Workers(FILL_PRODUCERS, (worker, deadline) -> {
      byte[] body = body(worker, bodyBytes);
      while (true) {
        long before = left.getAndAdd(-FILL_BATCH);
        if (before <= 0) return;
        putBatch(channel, (int) Math.min(before, FILL_BATCH), body);
      }
    });
    run(0, List.of(workers));
  }

  // — the work —

  /** `reserved` counts what was put, so that producers end before the channel is full; null: they wait then. */
  private static Workers putters(Side side, FileChannel channel, int batch, int bodyBytes, AtomicLong reserved) {
    return new Workers(side.samples.length, (worker, deadline) -> {
      byte[] body = body(worker, bodyBytes);
      while (System.nanoTime() < deadline) {
        if (reserved != null && reserved.addAndGet(batch) > CAPACITY - CAPACITY_KEPT_FREE) return;
        long before = System.nanoTime();
        try {
          putBatch(channel, batch, body);
        } catch (ChannelFullException full) {
          continue;
        }
        side.samples[worker].add(batch, before, System.nanoTime());
      }
    });
  }

  private static Workers takers(Side side, FileChannel channel, int batch, boolean untilEmpty) {
    return new Workers(side.samples.length, (worker, deadline) -> {
      while (System.nanoTime() < deadline) {
        int count = takeBatch(channel, batch, side.samples[worker]);
        if (count == 0 && untilEmpty) return;
      }
    });
  }

  private interface Task {
    void run(int worker, long deadline) throws Exception;
  }

  private record Workers(int count, Task task) {}

  /** The time that workers started at, and the CPU time by wall time until they ended. */
  private record Ran(long start, double cpuCores) {
    String json() {
      return String.format(Locale.ROOT, "\"cpuCores\":%.3f", cpuCores);
    }
  }

  /** Runs all workers until they end. */
  private static Ran run(long windowMs, List<Workers> groups) throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    AtomicLong deadline = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (Workers group : groups) {
      for (int index = 0; index < group.count; index++) {
        int worker = index;
        threads.add(new Thread(() -> {
          try {
            go.await();
            group.task.run(worker, deadline.get());
          } catch (Throwable error) {
            failure.compareAndSet(null, error);
          }
        }));
      }
    }
    threads.forEach(Thread::start);
    long cpuBefore = cpuNanos();
    long start = System.nanoTime();
    deadline.set(start + windowMs * 1_000_000);
    go.countDown();
    for (Thread thread : threads) thread.join();
    if (failure.get() != null) throw new IllegalStateException(failure.get());
    return new Ran(start, (double) (cpuNanos() - cpuBefore) / Math.max(System.nanoTime() - start, 1));
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private static byte[] body(int seed, int bytes) {
    byte[] body = new byte[bytes];
    new Random(seed).nextBytes(body);
    return body;
  }

  private static long residentBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
    }
    return 0;
  }

  /** The commits of one worker. */
  private static final class Samples {
    private long[] nanos = new long[4096];
    private int count;
    private long events;
    private long last;

    void add(int eventCount, long before, long after) {
      if (count == nanos.length) nanos = Arrays.copyOf(nanos, 2 * count);
      nanos[count++] = after - before;
      events += eventCount;
      last = after;
    }
  }

  /** The commits of all producers, or of all consumers. */
  private static final class Side {
    final Samples[] samples;

    Side(int workers) {
      samples = new Samples[workers];
      Arrays.setAll(samples, index -> new Samples());
    }

    String json(long start) {
      long[] all = Arrays.stream(samples).flatMapToLong(one -> Arrays.stream(one.nanos, 0, one.count)).sorted().toArray();
      long events = Arrays.stream(samples).mapToLong(one -> one.events).sum();
      long last = Arrays.stream(samples).mapToLong(one -> one.last).max().orElse(start);
      double seconds = Math.max(last - start, 1) / 1e9;
      String format = "{\"events\":%d,\"commits\":%d,\"seconds\":%.4f,\"eventsPerSecond\":%.1f,"
          + "\"commitsPerSecond\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f}";
      return String.format(Locale.ROOT, format, events, all.length, seconds, events / seconds, all.length / seconds,
          percentile(all, 0.5), percentile(all, 0.99));
    }

    private static double percentile(long[] sorted, double share) {
      if (sorted.length == 0) return 0;
      return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)] / 1e3;
    }
  }
}
