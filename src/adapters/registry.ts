/** Every component that forebay brings along: what a configuration can name without a module of its own. */
import { ofAnyKeys, type Registry } from '../agent/contracts/registry.ts';
import { fileChannel, spillableMemoryChannel } from './channels/file.ts';
import { memoryChannel } from './channels/memory.ts';
import { hostInterceptor } from './interceptors/host.ts';
import { regexExtractorInterceptor } from './interceptors/regex-extractor.ts';
import { regexFilterInterceptor } from './interceptors/regex-filter.ts';
import { removeHeaderInterceptor } from './interceptors/remove-header.ts';
import { searchReplaceInterceptor } from './interceptors/search-replace.ts';
import { staticInterceptor } from './interceptors/static.ts';
import { timestampInterceptor } from './interceptors/timestamp.ts';
import { uuidInterceptor } from './interceptors/uuid.ts';
import { defaultProcessor } from './processors/default.ts';
import { failoverProcessor } from './processors/failover.ts';
import { loadBalanceProcessor } from './processors/load-balance.ts';
import { loadBalancingSelector } from './selectors/load-balancing.ts';
import { multiplexingSelector } from './selectors/multiplexing.ts';
import { replicatingSelector } from './selectors/replicating.ts';
import { avroBodySerializer } from './serializers/avro-body.ts';
import { avroEventSerializer } from './serializers/avro-event.ts';
import { headerAndTextSerializer } from './serializers/header-and-text.ts';
import { textSerializer } from './serializers/text.ts';
import { fileRollSink } from './sinks/file-roll/file-roll-sink.ts';
import { hdfsSink } from './sinks/hdfs/hdfs-sink.ts';
import { loggerSink } from './sinks/logger/logger-sink.ts';
import { nullSink } from './sinks/null/null-sink.ts';
import { execSource } from './sources/exec/exec-source.ts';
import { seqSource } from './sources/generators/seq-source.ts';
import { stressSource } from './sources/generators/stress-source.ts';
import { netcatSource } from './sources/netcat/netcat-source.ts';
import { netcatUdpSource } from './sources/netcat/netcat-udp-source.ts';
import { spooldirSource } from './sources/spooldir/definition.ts';
import { taildirSource } from './sources/taildir/taildir-source.ts';

/** All definitions, by kind. */
export const registry: Registry = {
  sources: [
    ofAnyKeys(execSource),
    ofAnyKeys(netcatSource),
    ofAnyKeys(netcatUdpSource),
    ofAnyKeys(seqSource),
    ofAnyKeys(spooldirSource),
    ofAnyKeys(stressSource),
    ofAnyKeys(taildirSource),
  ],
  sinks: [ofAnyKeys(fileRollSink), ofAnyKeys(hdfsSink), ofAnyKeys(loggerSink), ofAnyKeys(nullSink)],
  channels: [ofAnyKeys(fileChannel), ofAnyKeys(memoryChannel), ofAnyKeys(spillableMemoryChannel)],
  interceptors: [
    ofAnyKeys(hostInterceptor),
    ofAnyKeys(regexExtractorInterceptor),
    ofAnyKeys(regexFilterInterceptor),
    ofAnyKeys(removeHeaderInterceptor),
    ofAnyKeys(searchReplaceInterceptor),
    ofAnyKeys(staticInterceptor),
    ofAnyKeys(timestampInterceptor),
    ofAnyKeys(uuidInterceptor),
  ],
  selectors: [ofAnyKeys(loadBalancingSelector), ofAnyKeys(multiplexingSelector), ofAnyKeys(replicatingSelector)],
  processors: [ofAnyKeys(defaultProcessor), ofAnyKeys(failoverProcessor), ofAnyKeys(loadBalanceProcessor)],
  serializers: [
    ofAnyKeys(avroBodySerializer),
    ofAnyKeys(avroEventSerializer),
    ofAnyKeys(headerAndTextSerializer),
    ofAnyKeys(textSerializer),
  ],
};
