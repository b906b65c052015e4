import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/** Threads that begin together and are waited for; what they cost. */
final class Workers {
  interface Task {
    /** Works until `deadline` (`System.nanoTime()`), or until there is nothing left. */
    void run(long deadline) throws Exception;
  }

  /** The time that they began at, and their process's CPU time by wall time until the last one ended. */
  record Ran(long start, double cpuCores) {
    /** The field of an answer. */
    String json() {
      return String.format(Locale.ROOT, "\"cpuCores\":%.3f", cpuCores);
    }
  }

  private Workers() {}

  /** A thread for each task. */
  static Ran run(long windowMs, List<Task> tasks) throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    long[] deadline = new long[1];
    List<Thread> threads = new ArrayList<>();
    for (Task task : tasks) {
      threads.add(new Thread(() -> {
        try {
          go.await();
          task.run(deadline[0]);
        } catch (Throwable error) {
          failure.compareAndSet(null, error);
        }
      }));
    }
    threads.forEach(Thread::start);
    long cpuBefore = cpuNanos();
    long start = System.nanoTime();
    deadline[0] = start + windowMs * 1_000_000;
    go.countDown();
    for (Thread thread : threads) thread.join();
    if (failure.get() != null) throw new IllegalStateException(failure.get());
    return new Ran(start, (double) (cpuNanos() - cpuBefore) / Math.max(System.nanoTime() - start, 1));
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  /** The same bytes for the same seed; they do not compress. */
  static byte[] body(int seed, int bytes) {
    byte[] body = new byte[bytes];
    new Random(seed).nextBytes(body);
    return body;
  }
}
