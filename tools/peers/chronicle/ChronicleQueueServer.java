import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
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
 *     take  DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    fills EVENTS, reopens, drains
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
    LinkedBlockingQueue<String> commands = new LinkedBlockingQueue<>();
    Thread reader = new Thread(() -> read(commands));
    reader.setDaemon(true);
    reader.start();
    while (true) {
      String line = commands.take();
      try {
        System.out.println(answer(line.trim().split(" ")));
      } catch (Throwable error) {
        System.out.println("{\"error\":\"" + error.toString().replaceAll("[^ -~]|[\"\\\\]", " ") + "\"}");
      }
      System.out.flush();
    }
  }

  /** Whoever asked is gone at the end of stdin: nothing may go on writing. */
  private static void read(LinkedBlockingQueue<String> commands) {
    try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) commands.put(line);
    } catch (IOException | InterruptedException error) {
      System.err.println(error);
    }
    Runtime.getRuntime().halt(0);
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
    byte[] body = body(0, work.bodyBytes);
    try (ChronicleQueue queue = open(work.directory); ExcerptAppender appender = queue.createAppender()) {
      Bytes<?> bytes = Bytes.wrapForRead(body);
      for (int left = work.events; left > 0; left -= FILL_BATCH) append(appender, bytes, Math.min(left, FILL_BATCH), body.length);
    }
    return "{}";
  }

  private static String run(Work work, ChronicleQueue queue) throws Exception {
    boolean puts = !work.kind.equals("take");
    boolean takes = !work.kind.equals("put");
    Samples[] put = samples(puts ? work.producers : 0);
    Samples[] taken = samples(takes ? 1 : 0);
    AtomicLong deadline = new AtomicLong();
    List<Task> tasks = new ArrayList<>();
    // Appenders of several threads would spin for the queue's lock; whoever has many writers gives them turns.
    ReentrantLock turn = new ReentrantLock();
    AtomicLong reserved = new AtomicLong();
    for (int index = 0; index < put.length; index++) {
      int worker = index;
      tasks.add(() -> produce(work, queue, put[worker], worker, turn, reserved, deadline));
    }
    if (takes) tasks.add(() -> consume(work, queue, taken[0], deadline));
    long cpuBefore = cpuNanos();
    long start = runAll(tasks, deadline, work.windowMs);
    double cores = (double) (cpuNanos() - cpuBefore) / (System.nanoTime() - start);
    String sides = (puts ? "\"put\":" + json(put, start) + "," : "") + (takes ? "\"taken\":" + json(taken, start) + "," : "");
    return String.format(Locale.ROOT, "{%s\"cpuCores\":%.3f}", sides, cores);
  }

  private interface Task {
    void run() throws Exception;
  }

  private static long runAll(List<Task> tasks, AtomicLong deadline, int windowMs) throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (Task task : tasks) {
      threads.add(new Thread(() -> {
        try {
          go.await();
          task.run();
        } catch (Throwable error) {
          failure.compareAndSet(null, error);
        }
      }));
    }
    threads.forEach(Thread::start);
    long start = System.nanoTime();
    deadline.set(start + windowMs * 1_000_000L);
    go.countDown();
    for (Thread thread : threads) thread.join();
    if (failure.get() != null) throw new IllegalStateException(failure.get());
    return start;
  }

  private static void produce(Work work, ChronicleQueue queue, Samples mine, int seed, ReentrantLock turn,
      AtomicLong reserved, AtomicLong deadline) {
    byte[] body = body(seed, work.bodyBytes);
    Bytes<?> bytes = Bytes.wrapForRead(body);
    try (ExcerptAppender appender = queue.createAppender()) {
      while (System.nanoTime() < deadline.get()) {
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
  private static void consume(Work work, ChronicleQueue queue, Samples mine, AtomicLong deadline) {
    Bytes<?> bytes = Bytes.allocateElasticDirect(2L * work.bodyBytes);
    try (ExcerptTailer tailer = queue.createTailer("taker")) {
      while (System.nanoTime() < deadline.get()) {
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

  private static byte[] body(int seed, int bytes) {
    byte[] body = new byte[bytes];
    new Random(seed).nextBytes(body);
    return body;
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private static Samples[] samples(int workers) {
    Samples[] all = new Samples[workers];
    Arrays.setAll(all, index -> new Samples());
    return all;
  }

  /** The batches of one worker. */
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

  private static String json(Samples[] samples, long start) {
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
