import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingQueue;

/** How a server of these tools is told what to do: one command a line on stdin, one JSON document a line on stdout. */
final class CommandLoop {
  interface Answers {
    /** The document for one command, split at its spaces. */
    String answer(String[] words) throws Exception;
  }

  private CommandLoop() {}

  /** Answers command after command; a failure is answered as `{"error":…}`. Ends with the process. */
  static void run(Answers answers) throws InterruptedException {
    LinkedBlockingQueue<String> commands = new LinkedBlockingQueue<>();
    Thread reader = new Thread(() -> read(commands));
    reader.setDaemon(true);
    reader.start();
    while (true) {
      String line = commands.take();
      try {
        System.out.println(answers.answer(line.trim().split(" ")));
      } catch (Throwable error) {
        System.out.println("{\"error\":\"" + error.toString().replaceAll("[^ -~]|[\"\\\\]", " ") + "\"}");
      }
      System.out.flush();
    }
  }

  /**
   * Whoever asked is gone at the end of stdin: nothing may go on writing, and threads of what was left open would keep
   * the process.
   */
  private static void read(LinkedBlockingQueue<String> commands) {
    try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) commands.put(line);
    } catch (IOException | InterruptedException error) {
      System.err.println(error);
    }
    Runtime.getRuntime().halt(0);
  }
}
