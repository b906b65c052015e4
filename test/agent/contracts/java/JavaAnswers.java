import java.io.*;
import java.nio.charset.*;
import java.time.*;
import java.util.*;
import java.util.regex.*;

/**
 * Answers what Java does, one line for each line of stdin, for java-answers.ts. Fields are separated by tabs; texts are
 * UTF-16 units in hexadecimal. regex PATTERN INPUT REPLACEMENT, zone ID EPOCH_MS, charset NAME TEXT BYTES.
 */
public class JavaAnswers {
  static String text(String hex) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < hex.length(); i += 4) text.append((char) Integer.parseInt(hex.substring(i, i + 4), 16));
    return text.toString();
  }

  static String hex(String text) {
    if (text == null) return "-";
    StringBuilder hex = new StringBuilder("=");
    for (char unit : text.toCharArray()) hex.append(String.format("%04x", (int) unit));
    return hex.toString();
  }

  static String match(Matcher matcher, boolean found) {
    if (!found) return "-";
    StringBuilder groups = new StringBuilder(matcher.start() + "," + matcher.end());
    for (int group = 0; group <= matcher.groupCount(); group++) groups.append(",").append(hex(matcher.group(group)));
    return groups.toString();
  }

  static String regex(String source, String input, String replacement) {
    Pattern pattern;
    try {
      pattern = Pattern.compile(source);
    } catch (RuntimeException | StackOverflowError error) {
      return "refused";
    }
    Matcher finder = pattern.matcher(input);
    String found = match(finder, finder.find());
    Matcher whole = pattern.matcher(input);
    String matched = match(whole, whole.matches());
    String replaced;
    try {
      replaced = hex(pattern.matcher(input).replaceAll(replacement));
    } catch (IllegalArgumentException | IndexOutOfBoundsException error) {
      replaced = "refused";
    }
    return found + "\t" + matched + "\t" + replaced;
  }

  static String zone(String id, long epochMs) {
    TimeZone zone = TimeZone.getTimeZone(id);
    ZonedDateTime time = Instant.ofEpochMilli(epochMs).atZone(ZoneOffset.ofTotalSeconds(zone.getOffset(epochMs) / 1000));
    int weekday = time.getDayOfWeek().getValue() % 7;
    return time.getYear() + "," + time.getMonthValue() + "," + time.getDayOfMonth() + "," + time.getHour() + ","
        + time.getMinute() + "," + time.getSecond() + "," + weekday + "," + time.getDayOfYear() + ","
        + zone.getOffset(epochMs) / 60000;
  }

  static String bytes(byte[] bytes) {
    StringBuilder hex = new StringBuilder("=");
    for (byte one : bytes) hex.append(String.format("%02x", one & 255));
    return hex.toString();
  }

  static String charset(String name, String text, String bytesHex) {
    Charset charset;
    try {
      charset = Charset.forName(name);
    } catch (IllegalArgumentException error) {
      return "refused";
    }
    byte[] bytes = new byte[bytesHex.length() / 2];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) Integer.parseInt(bytesHex.substring(i * 2, i * 2 + 2), 16);
    return charset.name() + "\t" + bytes(text.getBytes(charset)) + "\t" + hex(new String(bytes, charset));
  }

  public static void main(String[] arguments) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, "US-ASCII");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] field = line.split("\t", -1);
      switch (field[0]) {
        case "regex" -> out.println(regex(text(field[1]), text(field[2]), text(field[3])));
        case "zone" -> out.println(zone(text(field[1]), Long.parseLong(field[2])));
        default -> out.println(charset(text(field[1]), text(field[2]), field[3]));
      }
    }
    out.flush();
  }
}
