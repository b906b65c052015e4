import java.util.List;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.FlumeException;
import org.apache.flume.interceptor.Interceptor;

/**
 * An interceptor that holds a source of Flume's in the middle of a file: it lets `events` pass, and the batch behind
 * them never. Then a test knows to the byte what the source has put into its channel.
 */
public class Gate implements Interceptor {
  private final int events;
  private int passed;

  private Gate(int events) {
    this.events = events;
  }

  @Override
  public void initialize() {}

  @Override
  public Event intercept(Event event) {
    return intercept(List.of(event)).get(0);
  }

  @Override
  public List<Event> intercept(List<Event> batch) {
    while (passed + batch.size() > events) {
      try {
        Thread.sleep(1000);
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
        throw new FlumeException("the gate is closed", error);
      }
    }
    passed += batch.size();
    return batch;
  }

  @Override
  public void close() {}

  /** As a configuration names it: `Gate$Builder`. */
  public static class Builder implements Interceptor.Builder {
    private int events;

    @Override
    public void configure(Context context) {
      events = context.getInteger("events");
    }

    @Override
    public Interceptor build() {
      return new Gate(events);
    }
  }
}
