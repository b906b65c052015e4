/** The keys of the hdfs sink that say how HDFS is reached, and as whom. Local files need none of them. */
import type { KeyProblem } from '../../../agent/contracts/components.ts';
import { integer, type Key, optional, text, unset, type ValuesOf } from '../../../agent/contracts/keys.ts';
import { hostMap } from './host-map.ts';
import { resolveTarget } from './web/resolve-target.ts';

/** Type by key. */
export interface FarSideKeys extends Record<string, Key<unknown>> {
  readonly 'hdfs.confDir': Key<string | undefined>;
  readonly 'hdfs.proxyUser': Key<string | undefined>;
  readonly 'hdfs.delegationTokenFile': Key<string | undefined>;
  readonly 'hdfs.kerberosPrincipal': Key<string | undefined>;
  readonly 'hdfs.kerberosKeytab': Key<string | undefined>;
  readonly 'hdfs.callTimeout': Key<number>;
  readonly 'hdfs.minBlockReplicas': Key<number | undefined>;
  readonly 'hdfs.datanodeHostMap': Key<ReadonlyMap<string, string>>;
}

const notLoggedIn = {
  differs:
    'refused for HDFS: no Kerberos here; write through HttpFS or Knox, or with a token (hdfs.delegationTokenFile); ' +
    'no effect on local files',
};

/** All of them. */
export const farSideKeys: FarSideKeys = {
  'hdfs.confDir': unset(text, {
    does:
      "a directory with Hadoop's core-site.xml and hdfs-site.xml; where not set that of --conf, if it has them, " +
      'else that of HADOOP_CONF_DIR',
    standing: 'ours',
  }),
  'hdfs.proxyUser': unset(text, {
    does: 'on whose behalf the files are written in HDFS; not for local files',
    standing: { differs: 'asked of WebHDFS (doas), which must allow it to HADOOP_USER_NAME or the OS user' },
  }),
  'hdfs.delegationTokenFile': unset(text, {
    does:
      'a file with the delegation token that says who we are: its text, or what `hdfs fetchdt` writes; read again ' +
      'when it changes; that of HADOOP_TOKEN_FILE_LOCATION where not set',
    standing: 'ours',
  }),
  'hdfs.kerberosPrincipal': unset(text, { does: 'who logs in to HDFS', standing: notLoggedIn }),
  'hdfs.kerberosKeytab': unset(text, { does: 'the key of who logs in', standing: notLoggedIn }),
  'hdfs.callTimeout': optional(integer(1000, 2 ** 31 - 1), 30_000, {
    unit: 'ms',
    does: 'how long nothing may move in a call of HDFS; not for local files',
    standing: { differs: 'a call that goes on is not limited in time; Flume ends it, and the file with it' },
  }),
  'hdfs.minBlockReplicas': unset(integer(), {
    does: 'how many DataNodes must have each block of a finished file before it gets its name; not for local files',
    standing: {
      differs:
        'waited for as long as hdfs.callTimeout, then said, and the file gets its name; Flume begins another file',
    },
  }),
  'hdfs.datanodeHostMap': optional(hostMap, new Map(), {
    does: 'other hosts, or ports, for DataNodes whose names HDFS gives and which are not known or reached here',
    standing: 'ours',
  }),
};

/** What is checked where it is known that files go to HDFS: at once for a URI, and for a path once that is resolved. */
export function kerberosProblems(values: ValuesOf<FarSideKeys>): readonly KeyProblem[] {
  const set = (['hdfs.kerberosPrincipal', 'hdfs.kerberosKeytab'] as const).filter((key) => values[key] !== undefined);
  const message =
    'is not supported: forebay does not log in by Kerberos. Take it out, and write through HttpFS or Knox ' +
    '(swebhdfs://user:password@host:8443/gateway/NAME/…), or with a delegation token that is renewed ' +
    '(hdfs.delegationTokenFile)';
  return set.map((key) => ({ key, message }));
}

/** What no single key can say. */
export function checkFarSideKeys(
  values: ValuesOf<FarSideKeys> & { readonly 'hdfs.path': string },
): readonly KeyProblem[] {
  const resolved = resolveTarget(values['hdfs.path'], undefined);
  return 'kind' in resolved && resolved.kind === 'web' ? kerberosProblems(values) : [];
}
