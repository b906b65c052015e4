import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Calendar;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import org.apache.flume.formatter.output.BucketPath;

/**
 * What Flume's own BucketPath makes of a text. One question a line on standard input, fields separated by tabs: the
 * text, the zone, the unit of rounding or `none`, its value, and headers as `name=value`. One line of answer each:
 * `ok` and the path, or `failed` and why.
 */
public class FlumePaths {
  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.US);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] fields = line.split("\t");
      try {
        System.out.println("ok\t" + expand(fields));
      } catch (RuntimeException error) {
        System.out.println("failed\t" + error.toString().replace('\n', ' '));
      }
    }
  }

  private static String expand(String[] fields) {
    Map<String, String> headers = new HashMap<>();
    for (int index = 4; index < fields.length; index++) {
      String[] pair = fields[index].split("=", 2);
      headers.put(pair[0], pair[1]);
    }
    boolean rounds = !fields[2].equals("none");
    int unit = Calendar.SECOND;
    if (fields[2].equals("minute")) unit = Calendar.MINUTE;
    if (fields[2].equals("hour")) unit = Calendar.HOUR_OF_DAY;
    TimeZone zone = TimeZone.getTimeZone(fields[1]);
    return BucketPath.escapeString(fields[0], headers, zone, rounds, unit, Integer.parseInt(fields[3]), false);
  }
}
