import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * Reads files with Hadoop's own classes. One job a line on standard input, fields separated by tabs; one line of
 * answer each: `ok`, or `failed` and why.
 *
 *   sequence IN OUT      OUT: the header in one line, then key, value in hex and whether a sync was seen, per record
 *   split IN OUT FROM    the same from the first sync after FROM on, as a job that reads one split does
 *   codec IN OUT CLASS   OUT: what the codec makes of IN
 */
public class HadoopReader {
  private static final Configuration conf = new Configuration();

  public static void main(String[] arguments) throws Exception {
    // The presets name Avro's too, which is not on the class path.
    conf.set("io.serializations", "org.apache.hadoop.io.serializer.WritableSerialization");
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      String[] job = line.split("\t");
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(Paths.get(job[2])))) {
        if (job[0].equals("codec")) decompress(job[1], out, job[3]);
        else readRecords(job[1], out, job[0].equals("split") ? Long.parseLong(job[3]) : 0);
        System.out.println("ok");
      } catch (Exception | LinkageError error) {
        System.out.println("failed\t" + error.toString().replace('\n', ' '));
      }
    }
  }

  private static void readRecords(String in, OutputStream out, long from) throws Exception {
    PrintStream lines = new PrintStream(out, false, "UTF-8");
    try (SequenceFile.Reader reader = new SequenceFile.Reader(conf, SequenceFile.Reader.file(new Path(in)))) {
      CompressionCodec codec = reader.getCompressionCodec();
      lines.print(reader.getKeyClassName() + '\t' + reader.getValueClassName() + '\t' + reader.getCompressionType());
      lines.print("\t" + (codec == null ? "none" : codec.getClass().getName()) + '\n');
      if (from > 0) reader.sync(from);
      LongWritable key = new LongWritable();
      Writable value = (Writable) ReflectionUtils.newInstance(reader.getValueClass(), conf);
      while (reader.next(key, value)) {
        lines.print(key.get() + "\t" + HexFormat.of().formatHex(bytesOf(value)) + '\t' + reader.syncSeen() + '\n');
      }
    }
    lines.flush();
    if (lines.checkError()) throw new java.io.IOException("the answer cannot be written");
  }

  private static byte[] bytesOf(Writable value) {
    if (value instanceof BytesWritable) return ((BytesWritable) value).copyBytes();
    Text text = (Text) value;
    return Arrays.copyOf(text.getBytes(), text.getLength());
  }

  private static void decompress(String in, OutputStream out, String codecClass) throws Exception {
    CompressionCodec codec = (CompressionCodec) ReflectionUtils.newInstance(conf.getClassByName(codecClass), conf);
    try (InputStream bytes = codec.createInputStream(new FileInputStream(in))) {
      bytes.transferTo(out);
    }
  }
}
