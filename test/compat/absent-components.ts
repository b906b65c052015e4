/** What Apache Flume 1.11 brings along and forebay does not, and why: the last table of docs/flume-compat.md. */

/** Components of one kind that are not there for one reason. */
interface AbsentComponents {
  readonly kind: string;
  /** Flume's aliases; the class where there is none. */
  readonly types: readonly string[];
  readonly why: string;
}

/** By kind, in the order of the page. Those that Flume itself does not ship any more are not named. */
export const absentComponents: readonly AbsentComponents[] = [
  {
    kind: 'source',
    types: ['avro', 'thrift', 'http', 'syslogtcp', 'multiport_syslogtcp', 'syslogudp'],
    why: 'this version reads files, commands and lines from sockets; netcat, netcatudp or exec may stand in',
  },
  {
    kind: 'source',
    types: ['jms', 'org.apache.flume.source.kafka.KafkaSource'],
    why: 'needs the client of a broker, which this version does not bring along',
  },
  {
    kind: 'source',
    types: [
      'org.apache.flume.source.avroLegacy.AvroLegacySource',
      'org.apache.flume.source.thriftLegacy.ThriftLegacySource',
      'org.apache.flume.source.scribe.ScribeSource',
      'org.apache.flume.source.twitter.TwitterSource',
    ],
    why: 'what it talks to is no longer in use',
  },
  {
    kind: 'sink',
    types: ['avro', 'thrift', 'http', 'irc'],
    why: 'this version writes files; sinks over the network are not in it',
  },
  {
    kind: 'sink',
    types: [
      'hbase',
      'hbase2',
      'asynchbase',
      'hive',
      'morphline_solr',
      'org.apache.flume.sink.kafka.KafkaSink',
      'org.apache.flume.sink.kudu.KuduSink',
    ],
    why: 'needs a client of Java, or one that this version does not bring along',
  },
  {
    kind: 'channel',
    types: ['jdbc', 'org.apache.flume.channel.kafka.KafkaChannel'],
    why: 'keeps its events in a server; `file` keeps them on a disk of this machine',
  },
  {
    kind: 'channel',
    types: ['org.apache.flume.channel.PseudoTxnMemoryChannel'],
    why: 'without transactions, for tests of Flume only: use `memory`',
  },
  {
    kind: 'interceptor',
    types: ['org.apache.flume.sink.solr.morphline.MorphlineInterceptor$Builder'],
    why: 'runs Java: morphlines',
  },
];
