import java.util.HashMap;
import java.util.Map;
import org.apache.flume.Context;
import org.apache.flume.channel.file.FileChannel;
import org.apache.flume.conf.Configurables;

/** Flume's file channel by a line of settings, `key=value` with tabs between. */
final class OpenChannel {
  private OpenChannel() {}

  /** It may not be open: then Flume has logged why. */
  static FileChannel open(String line) {
    Map<String, String> settings = settings(line);
    FileChannel channel = new FileChannel();
    channel.setName(settings.getOrDefault("name", "c1"));
    Configurables.configure(channel, new Context(settings));
    channel.start();
    return channel;
  }

  static Map<String, String> settings(String line) {
    Map<String, String> settings = new HashMap<>();
    for (String setting : line.split("\t")) {
      int sign = setting.indexOf('=');
      settings.put(setting.substring(0, sign), setting.substring(sign + 1));
    }
    return settings;
  }
}
