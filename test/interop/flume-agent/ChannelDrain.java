import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import org.apache.flume.Event;
import org.apache.flume.Transaction;
import org.apache.flume.channel.file.FileChannel;
import org.apache.flume.tools.FileChannelIntegrityTool;

/**
 * What Flume delivers from its file channels: for each line of settings, every event in the order in which it is taken,
 * and `end`; `refused` where Flume does not start. An event is its body and its headers' names and values, in base64
 * with tabs between. With `mend` Flume's own integrity tool is run before: in a process that Flume did not start in,
 * since it keeps its locks.
 */
public final class ChannelDrain {
  private static final int BATCH_EVENTS = 100;

  private ChannelDrain() {}

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    // Flume prints when it stops a channel.
    System.setOut(System.err);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int status = 0;
    try {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (args.length > 0) mend(line);
        FileChannel channel = OpenChannel.open(line);
        if (!channel.isOpen()) {
          out.println("refused");
          continue;
        }
        while (drainOnce(channel, out)) {}
        channel.stop();
        out.println("end");
      }
    } catch (Exception error) {
      error.printStackTrace();
      status = 1;
    }
    out.flush();
    System.exit(status);
  }

  private static void mend(String line) throws Exception {
    new FileChannelIntegrityTool().run(new String[] {"-l", OpenChannel.settings(line).get("dataDirs")});
  }

  private static boolean drainOnce(FileChannel channel, PrintStream out) {
    Transaction transaction = channel.getTransaction();
    transaction.begin();
    int taken = 0;
    for (; taken < BATCH_EVENTS; taken += 1) {
      Event event = channel.take();
      if (event == null) break;
      print(event, out);
    }
    transaction.commit();
    transaction.close();
    return taken > 0;
  }

  private static void print(Event event, PrintStream out) {
    StringBuilder line = new StringBuilder("event\t").append(encoded(event.getBody()));
    for (Map.Entry<String, String> header : event.getHeaders().entrySet()) {
      for (String text : new String[] {header.getKey(), header.getValue()}) {
        line.append('\t').append(encoded(text.getBytes(StandardCharsets.UTF_8)));
      }
    }
    out.println(line);
  }

  private static String encoded(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
