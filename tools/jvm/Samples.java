import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/** The commits of one worker: how many events, and how long each took. */
final class Samples {
  private long[] nanos = new long[4096];
  private int count;
  private long events;
  private long last;

  /** One commit, from `before` to `after` (`System.nanoTime()`). */
  void add(int eventCount, long before, long after) {
    if (count == nanos.length) nanos = Arrays.copyOf(nanos, 2 * count);
    nanos[count++] = after - before;
    events += eventCount;
    last = after;
  }

  /** As many as there are workers. */
  static List<Samples> of(int workers) {
    return LongStream.range(0, workers).mapToObj(index -> new Samples()).toList();
  }

  /** Of all workers together, since `start`: the figures that tools/peers and tools/bench-flume.ts read. */
  static String json(List<Samples> samples, long start) {
    long[] all = samples.stream().flatMapToLong(one -> Arrays.stream(one.nanos, 0, one.count)).sorted().toArray();
    long events = samples.stream().mapToLong(one -> one.events).sum();
    long last = samples.stream().mapToLong(one -> one.last).max().orElse(start);
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
