/** Answers told apart, URLs made and redirects checked: what needs no server. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { HdfsErrorKind } from '../../../../../src/adapters/sinks/hdfs/web/hdfs-error.ts';
import { operationUrl } from '../../../../../src/adapters/sinks/hdfs/web/operation-url.ts';
import { dataNodeError, isOwnGateway, redirectIn } from '../../../../../src/adapters/sinks/hdfs/web/redirect.ts';
import { errorOf } from '../../../../../src/adapters/sinks/hdfs/web/remote-exception.ts';
import { networkError } from '../../../../../src/adapters/sinks/hdfs/web/small-call.ts';

/** As the NameNode writes it. */
function answered(status: number, javaClassName: string, message: string) {
  const exception = javaClassName.slice(javaClassName.lastIndexOf('.') + 1);
  return {
    status,
    location: undefined,
    text: JSON.stringify({ RemoteException: { exception, javaClassName, message } }),
  };
}

test('exceptions by their class, by what they wrap, by their words', () => {
  const server = 'org.apache.hadoop.hdfs.server.namenode';
  const protocol = 'org.apache.hadoop.hdfs.protocol';
  const cases: [HdfsErrorKind, number, string, string][] = [
    ['standby', 403, 'org.apache.hadoop.ipc.StandbyException', 'Operation category READ is not supported'],
    ['retriable', 403, 'org.apache.hadoop.ipc.RetriableException', 'NameNode still not started'],
    ['retriable', 403, `${server}.SafeModeException`, 'Cannot create file/a. Name node is in safe mode.'],
    ['quota', 403, `${protocol}.NSQuotaExceededException`, 'The NameSpace quota is exceeded'],
    ['quota', 403, `${protocol}.DSQuotaExceededException`, 'The DiskSpace quota is exceeded'],
    ['quota', 403, `${protocol}.QuotaByStorageTypeExceededException`, ''],
    ['access', 403, 'org.apache.hadoop.security.AccessControlException', 'Permission denied: user=bob'],
    ['notDirectory', 403, 'org.apache.hadoop.security.AccessControlException', '/a (is not a directory)'],
    ['notDirectory', 403, 'org.apache.hadoop.fs.ParentNotDirectoryException', '/a'],
    ['lease', 403, `${protocol}.AlreadyBeingCreatedException`, ''],
    ['lease', 403, `${protocol}.RecoveryInProgressException`, ''],
    ['exists', 403, 'org.apache.hadoop.fs.FileAlreadyExistsException', ''],
    ['missing', 404, 'java.io.FileNotFoundException', ''],
    ['invalid', 400, 'java.lang.IllegalArgumentException', 'Invalid value for webhdfs parameter "op"'],
    ['unsupported', 400, 'java.lang.UnsupportedOperationException', 'APPEND is not supported'],
    ['unsupported', 500, 'java.io.IOException', 'Cannot append to files with striped block /a'],
    ['unauthenticated', 401, 'java.io.IOException', 'Failed to obtain user group information'],
    ['unauthenticated', 403, 'org.apache.hadoop.security.token.SecretManager$InvalidToken', 'token is expired'],
    ['retriable', 403, 'java.io.IOException', 'File /a could only be written to 0 of the 1 minReplication nodes.'],
    ['retriable', 500, 'org.apache.hadoop.ipc.RemoteException', `org.apache.hadoop.ipc.RetriableException: ${server}`],
    ['lease', 500, 'org.apache.hadoop.ipc.RemoteException', 'because x is already the current lease holder.'],
    ['refused', 403, 'java.io.IOException', 'Source /a and destination /b must both be directories'],
    ['refused', 500, 'toString', 'constructor'],
  ];
  for (const [kind, status, name, message] of cases) {
    const error = errorOf(answered(status, name, message), 'nn:9870');
    assert.equal(error.kind, kind, `${name}: ${message}: ${error.message}`);
    assert.match(error.message, /^nn:9870 says /);
    assert.equal(error.outcome, kind === 'refused' && status === 500 ? 'unknown' : 'notDone');
  }
});

test('a path in a URL', () => {
  const url = (path: string): string => operationUrl('https://knox:8443/gateway/p', path, {}).pathname;
  assert.equal(url('/'), '/gateway/p/webhdfs/v1/');
  assert.equal(
    url("/a b/c%d+e;f?g#h'(i)*!/ü"),
    '/gateway/p/webhdfs/v1/a%20b/c%25d%2Be%3Bf%3Fg%23h%27%28i%29%2A%21/%C3%BC',
  );
  assert.equal(url('/a..b/...'), '/gateway/p/webhdfs/v1/a..b/...');
  const query = operationUrl('http://nn:9870', '/a', { op: 'RENAME', destination: '/b&c=d+e', none: undefined, at: 0 });
  assert.equal(query.search, '?op=RENAME&destination=%2Fb%26c%3Dd%2Be&at=0');
  for (const path of ['', 'a', '/..', '/../a', '/a/..', '/a/../b', '/.', '/a/./b', '/\uD800']) {
    assert.throws(() => url(path), { name: 'HdfsError', kind: 'invalid' }, JSON.stringify(path));
  }
});

test('where a redirect leads', () => {
  const from = new URL('https://nn:9871/webhdfs/v1/a?op=CREATE');
  const to = (location: string, map = new Map<string, string>()): string =>
    redirectIn({ status: 307, location, text: '' }, from, map).href;
  assert.equal(to('https://dn1.internal:9865/webhdfs/v1/a?x=%2B'), 'https://dn1.internal:9865/webhdfs/v1/a?x=%2B');
  const map = new Map([
    ['dn1.internal', '10.0.0.1'],
    ['dn2.internal:9865', 'nat.example:19865'],
    ['dn3.internal', '[::1]:7'],
  ]);
  assert.equal(to('https://dn1.internal:9865/a', map), 'https://10.0.0.1:9865/a');
  assert.equal(to('https://dn2.internal:9865/a', map), 'https://nat.example:19865/a');
  assert.equal(to('https://dn2.internal:1/a', map), 'https://dn2.internal:1/a');
  assert.equal(to('https://dn3.internal:1/a', map), 'https://[::1]:7/a');
  assert.throws(
    () => to('http://dn1:9864/a'),
    /redirects from https to 'http:\/\/dn1:9864': bodies would go unprotected/,
  );
  assert.equal(isOwnGateway(new URL('https://other/webhdfs/v1/a?op=CREATE&data=true'), from), true);
  assert.equal(isOwnGateway(new URL('https://nn:9871/webhdfs/v1/a?op=CREATE'), from), false);
  assert.equal(isOwnGateway(new URL('https://nn:9871/webhdfs/v1/b?data=true'), from), false);
  const unknown = networkError(from, Object.assign(new Error('x'), { code: 'EAI_AGAIN' }), 'notDone');
  assert.equal(dataNodeError(unknown, new URL('http://dn1.internal/')).kind, 'unresolvableDataNode');
  const refused = networkError(from, Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'notDone');
  assert.equal(dataNodeError(refused, new URL('http://dn1.internal/')), refused);
});
