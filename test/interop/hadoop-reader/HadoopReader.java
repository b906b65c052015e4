import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeSet;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.file.DataFileStream;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.util.LineReader;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * Reads files with Hadoop's own classes. One job a line on standard input, fields separated by tabs; one line of
 * answer each: `ok`, or `failed` and why.
 *
 *   sequence IN OUT      OUT: the header in one line, then key, value in hex and whether a sync was seen, per record
 *   split IN OUT FROM    the same from the first sync after FROM on, as a job that reads one split does
 *   codec IN OUT CLASS   OUT: what the codec makes of IN
 *   lines IN OUT         OUT: the lines of IN, by the codec that its name asks for, in hex
 *   avro IN OUT          OUT: the records of IN, by the codec that its name asks for: fields separated by tabs, bytes
 *                        in hex, maps as name=value in hex, sorted, and others as their text
 *   avro IN OUT FROM     the same from the first sync after FROM on; no codec
 *   events IN OUT        the same as Flume's own reader asks for them: headers and body of a record `Event`, by schema
 *                        resolution
 *   rewrite IN OUT CODEC OUT: the records of IN as a container whose blocks have this codec of Avro's
 */
public class HadoopReader {
  private static final Configuration conf = new Configuration();

  public static void main(String[] arguments) throws Exception {
    // The presets name Avro's too, which needs more than is on the class path.
    conf.set("io.serializations", "org.apache.hadoop.io.serializer.WritableSerialization");
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      String[] job = line.split("\t");
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(Paths.get(job[2])))) {
        switch (job[0]) {
          case "codec" -> decompress(job[1], out, job[3]);
          case "lines" -> readLines(job[1], out);
          case "avro" -> readAvro(job[1], out, job.length > 3 ? Long.parseLong(job[3]) : 0);
          case "events" -> readEvents(job[1], out);
          case "rewrite" -> rewriteAvro(job[1], out, job[3]);
          default -> readRecords(job[1], out, job[0].equals("split") ? Long.parseLong(job[3]) : 0);
        }
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
        lines.print(key.get() + "\t" + hex(bytesOf(value)) + '\t' + reader.syncSeen() + '\n');
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

  /** As a job opens it. */
  private static InputStream open(String in) throws Exception {
    CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(new Path(in));
    InputStream bytes = new FileInputStream(in);
    return codec == null ? bytes : codec.createInputStream(bytes);
  }

  private static void readLines(String in, OutputStream out) throws Exception {
    try (LineReader reader = new LineReader(open(in), conf)) {
      Text line = new Text();
      while (reader.readLine(line) > 0) {
        out.write(hex(Arrays.copyOf(line.getBytes(), line.getLength())).getBytes(StandardCharsets.UTF_8));
        out.write('\n');
      }
    }
  }

  private static void readAvro(String in, OutputStream out, long from) throws Exception {
    GenericDatumReader<GenericRecord> datums = new GenericDatumReader<>();
    if (from == 0) {
      try (DataFileStream<GenericRecord> records = new DataFileStream<>(open(in), datums)) {
        while (records.hasNext()) writeRecord(records.next(), out);
      }
      return;
    }
    try (DataFileReader<GenericRecord> records = new DataFileReader<>(new File(in), datums)) {
      records.sync(from);
      while (records.hasNext()) writeRecord(records.next(), out);
    }
  }

  private static void readEvents(String in, OutputStream out) throws Exception {
    Schema asked = SchemaBuilder.record("Event").fields()
        .name("headers").type().map().values().stringType().noDefault()
        .name("body").type().bytesType().noDefault().endRecord();
    GenericDatumReader<GenericRecord> datums = new GenericDatumReader<>(null, asked);
    try (DataFileReader<GenericRecord> records = new DataFileReader<>(new File(in), datums)) {
      Schema written = datums.getSchema();
      if (SchemaCompatibility.checkReaderWriterCompatibility(asked, written).getType()
          != SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE) {
        throw new IllegalStateException("its schema is not compatible");
      }
      while (records.hasNext()) writeRecord(records.next(), out);
    }
  }

  private static void rewriteAvro(String in, OutputStream out, String codec) throws Exception {
    try (DataFileStream<GenericRecord> records = new DataFileStream<>(open(in), new GenericDatumReader<>());
        DataFileWriter<GenericRecord> writer = new DataFileWriter<>(new GenericDatumWriter<GenericRecord>())) {
      writer.setCodec(CodecFactory.fromString(codec)).create(records.getSchema(), out);
      while (records.hasNext()) writer.append(records.next());
    }
  }

  private static void writeRecord(GenericRecord record, OutputStream out) throws Exception {
    StringJoiner fields = new StringJoiner("\t", "", "\n");
    for (int field = 0; field < record.getSchema().getFields().size(); field++) fields.add(show(record.get(field)));
    out.write(fields.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String show(Object value) {
    if (value instanceof ByteBuffer) {
      byte[] bytes = new byte[((ByteBuffer) value).remaining()];
      ((ByteBuffer) value).duplicate().get(bytes);
      return hex(bytes);
    }
    if (!(value instanceof Map)) return String.valueOf(value);
    TreeSet<String> pairs = new TreeSet<>();
    ((Map<?, ?>) value).forEach((name, text) -> pairs.add(hexOf(name) + "=" + hexOf(text)));
    return String.join(",", pairs);
  }

  private static String hexOf(Object text) {
    return hex(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
