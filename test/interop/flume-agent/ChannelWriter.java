import java.io.BufferedReader;
import java.io.FileWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import org.apache.flume.ChannelException;
import org.apache.flume.Event;
import org.apache.flume.Transaction;
import org.apache.flume.channel.file.FileChannel;
import org.apache.flume.event.EventBuilder;

/**
 * Writes a file channel of Flume's as a test says: the first line is its settings, each line behind it a command, which
 * is answered by a line when it is done. Whoever wants it killed kills the process.
 *
 *     put FROM COUNT END       events by their numbers, in one transaction
 *     take COUNT END           END: commit, rollback, or open
 *     end END                  ends the transaction that is open for the longest
 *     sleep MS
 *     load THREADS SEED FROM   so many threads put and as many take from now on, with transactions of all ends
 *     stop                     closes the channel
 *
 * What it commits it writes down in the file of the setting `record`: `put NUMBER` and `take NUMBER` before, and
 * `put! NUMBER`, `take! NUMBER` behind each commit.
 */
public final class ChannelWriter {
  private final FileChannel channel;
  private final Writer record;
  private final Queue<Queue<Boolean>> ends = new ArrayDeque<>();
  private final SynchronousQueue<Boolean> ended = new SynchronousQueue<>();

  private ChannelWriter(String settings) throws IOException {
    channel = OpenChannel.open(settings);
    record = new FileWriter(OpenChannel.settings(settings).get("record"), StandardCharsets.UTF_8, true);
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = System.out;
    // Flume prints when it stops a channel.
    System.setOut(System.err);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    ChannelWriter writer = new ChannelWriter(in.readLine());
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      writer.run(line.split(" "));
      out.println(line);
    }
    System.exit(0);
  }

  private void run(String[] words) throws Exception {
    switch (words[0]) {
      case "put" -> transactAsAsked(words[3], () -> put(number(words[1]), number(words[2])));
      case "take" -> transactAsAsked(words[2], () -> take(number(words[1])));
      case "end" -> end(words[1].equals("commit"));
      case "sleep" -> Thread.sleep(number(words[1]));
      case "load" -> load(number(words[1]), number(words[2]), number(words[3]));
      case "stop" -> channel.stop();
      default -> throw new IllegalArgumentException(words[0]);
    }
  }

  /** A transaction that stays open needs a thread of its own: each has one at a time. */
  private void transactAsAsked(String end, Callable<List<String>> work) throws Exception {
    if (!end.equals("open")) {
      transact(work, () -> end.equals("commit"));
      return;
    }
    LinkedBlockingQueue<Boolean> told = new LinkedBlockingQueue<>();
    CountDownLatch done = new CountDownLatch(1);
    ends.add(told);
    inBackground(() -> {
      transact(work, () -> {
        done.countDown();
        return told.take();
      });
      ended.put(true);
    });
    done.await();
  }

  private void end(boolean isCommit) throws Exception {
    ends.remove().add(isCommit);
    ended.take();
  }

  private void load(int threads, int seed, int from) {
    for (int thread = 0; thread < threads; thread += 1) {
      int ownFrom = from + thread * 1_000_000;
      Random random = new Random(seed + thread);
      inBackground(() -> {
        for (int next = ownFrom; ; ) {
          int first = next;
          int count = 1 + random.nextInt(10);
          if (transactOrNot(() -> put(first, count), random.nextInt(20) > 0)) next += count;
          Thread.sleep(random.nextInt(6));
        }
      });
      inBackground(() -> {
        while (true) {
          int count = 1 + random.nextInt(12);
          transactOrNot(() -> take(count), random.nextInt(8) > 0);
          Thread.sleep(random.nextInt(12));
        }
      });
    }
  }

  /** Whether it was committed: a full channel refuses. */
  private boolean transactOrNot(Callable<List<String>> work, boolean isCommit) throws Exception {
    try {
      transact(work, () -> isCommit);
      return isCommit;
    } catch (ChannelException error) {
      return false;
    }
  }

  private void transact(Callable<List<String>> work, Callable<Boolean> isCommit) throws Exception {
    Transaction transaction = channel.getTransaction();
    transaction.begin();
    try {
      List<String> done = work.call();
      if (isCommit.call()) {
        write(done, " ");
        transaction.commit();
        write(done, "! ");
      } else {
        transaction.rollback();
      }
    } catch (ChannelException error) {
      transaction.rollback();
      throw error;
    } finally {
      transaction.close();
    }
  }

  /** In one write: a kill cuts no line. */
  private void write(List<String> done, String mark) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String one : done) lines.append(one.replace(" ", mark)).append('\n');
    synchronized (record) {
      record.write(lines.toString());
      record.flush();
    }
  }

  private List<String> put(int from, int count) {
    List<String> done = new ArrayList<>();
    for (int number = from; number < from + count; number += 1) {
      channel.put(event(number));
      done.add("put " + number);
    }
    return done;
  }

  private List<String> take(int count) {
    List<String> done = new ArrayList<>();
    while (done.size() < count) {
      Event event = channel.take();
      if (event == null) break;
      String text = new String(event.getBody(), StandardCharsets.UTF_8);
      String number = event.getHeaders().get("number");
      done.add("take " + (number == null ? text.split(" ")[1] : number));
    }
    return done;
  }

  /** Bodies: text mostly, some of all bytes, some empty, some larger. Headers: none to several, some of no letters. */
  private static Event event(int number) {
    Map<String, String> headers = new HashMap<>();
    byte[] text = ("event " + number + " " + "x".repeat(number % 200)).getBytes(StandardCharsets.UTF_8);
    if (number % 10 == 0) return EventBuilder.withBody(text);
    headers.put("number", String.valueOf(number));
    headers.put("timestamp", String.valueOf(1_700_000_000_000L + number));
    if (number % 7 == 0) headers.put("ünï-ключ\t", "値\n-\uD83D\uDE00-" + number);
    if (number % 13 == 0) headers.put("empty", "");
    if (number % 17 == 0) headers.put("null", null);
    return EventBuilder.withBody(body(number, text), headers);
  }

  private static byte[] body(int number, byte[] text) {
    if (number % 23 == 0) return new byte[0];
    if (number % 101 == 0) return Arrays.copyOf(text, 20_000);
    if (number % 11 != 0) return text;
    byte[] all = new byte[256];
    for (int at = 0; at < all.length; at += 1) all[at] = (byte) (at + number);
    return all;
  }

  private static int number(String word) {
    return Integer.parseInt(word);
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void inBackground(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (Throwable error) {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
      }
    });
    thread.setDaemon(true);
    thread.start();
  }
}
