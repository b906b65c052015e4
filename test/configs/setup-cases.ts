/** The user guide's chapters about setting up and configuring an agent. */
import type { Case } from './cases.ts';
import { directory, lines, program } from './inputs.ts';
import { content, logged, told, written } from './outputs.ts';

const hello = '{ headers:{} body: 48 65 6C 6C 6F 20 77 6F 72 6C 64 21 0D          Hello world!. }';
const states = ['CA one', 'AZ two', 'NY three', 'TX four', 'no state'];

/** In the order of the guide. */
export const setupCases: readonly Case[] = [
  // The very line of the guide, telnet's carriage return included.
  { file: 'example', isProcess: true, in: [lines('r1', ['Hello world!\r'])], out: [logged('k1', [hello])] },
  {
    file: 'port-from-environment',
    isProcess: true,
    environment: { NC_PORT: '0' },
    in: [lines('r1', ['Hello world!\r'])],
    out: [logged('k1', [hello])],
  },
  {
    file: 'port-from-system-property',
    isProcess: true,
    system: { NC_PORT: '0' },
    in: [lines('r1', ['Hello world!\r'])],
    out: [logged('k1', [hello])],
  },
  {
    file: 'port-from-other-file',
    more: 'port-from-other-file.override',
    isProcess: true,
    in: [lines('r1', ['Hello world!\r'])],
    out: [logged('k1', [hello])],
  },
  {
    file: 'fan-out-replicating',
    agent: 'agent_foo',
    before: [directory('/var/log/flume/1', '/var/log/flume/2')],
    in: [lines('netcat-source1', ['one', 'two', 'two'])],
    out: [written('/var/log/flume/1', ['one', 'two', 'two']), written('/var/log/flume/2', ['one', 'two', 'two'])],
  },
  {
    file: 'fan-out-multiplexing',
    agent: 'agent_foo',
    before: [directory('/var/log/flume/memory', '/var/log/flume/file')],
    in: [lines('avro-AppSrv-source1', states)],
    out: [
      written('/var/log/flume/memory', ['CA one', 'NY three', 'TX four', 'no state']),
      written('/var/log/flume/file', ['AZ two', 'NY three']),
    ],
  },
  {
    file: 'fan-out-optional',
    agent: 'agent_foo',
    before: [directory('/var/log/flume/memory', '/var/log/flume/file')],
    in: [lines('avro-AppSrv-source1', states)],
    // An optional channel that is required as well gets the event once.
    out: [
      written('/var/log/flume/memory', ['CA one', 'NY three', 'TX four', 'no state']),
      written('/var/log/flume/file', ['CA one', 'AZ two', 'NY three']),
    ],
    // The example sets it twice.
    warnings: ['agent_foo.sources.avro-AppSrv-source1.selector.mapping.AZ: is set in line 8 already'],
  },
  {
    file: 'config-filter-env',
    environment: { my_host: 'localhost', my_port: '0', my_keystore_password: 'Secret123', agent_name: '_1234' },
    before: [directory('/var/log/flume/some_constant_data_1234')],
    in: [lines('r1', ['one'])],
    out: [written('/var/log/flume/some_constant_data_1234', ['{secret=Secret123} one']), told('r1', /^listens on/)],
  },
  {
    file: 'config-filter-external',
    before: [
      program('/usr/bin/generateUniqId.sh', '1234'),
      // What looks like a comment behind a value belongs to it, as in Java: the guide's example has such a one.
      directory('/var/log/flume/agent_1234 # will be /var/log/flume/agent_1234'),
    ],
    in: [lines('r1', ['one'])],
    out: [content('/var/log/flume', 'one\n')],
  },
];
