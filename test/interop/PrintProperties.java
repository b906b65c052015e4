import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Properties;
import java.util.TreeMap;

/**
 * Answers for texts as java.util.Properties reads them. In: a count, and each text with its length. Out, for each: the
 * number of keys, or -1 where load throws, then keys and values, sorted by key, as UTF-16 with their lengths.
 */
public final class PrintProperties {
  public static void main(String[] args) throws IOException {
    DataInputStream in = new DataInputStream(System.in);
    DataOutputStream out = new DataOutputStream(System.out);
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      byte[] text = new byte[in.readInt()];
      in.readFully(text);
      Properties properties = new Properties();
      try {
        properties.load(new ByteArrayInputStream(text));
      } catch (IllegalArgumentException malformed) {
        out.writeInt(-1);
        continue;
      }
      TreeMap<Object, Object> sorted = new TreeMap<>(properties);
      out.writeInt(sorted.size());
      for (var entry : sorted.entrySet()) {
        write(out, (String) entry.getKey());
        write(out, (String) entry.getValue());
      }
    }
    out.flush();
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    out.writeInt(text.length());
    out.writeChars(text);
  }
}
