/** The WebHDFS client against Hadoop's own NameNode, DataNode and HttpFS: what each call does, and what goes wrong. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { WebOptions } from '../../src/adapters/sinks/hdfs/web/web-target.ts';
import { hadoopFolder, httpFsIdleMs, startCluster } from './hadoop-cluster/cluster.ts';
import { buildJava, javaMissing } from './java-program.ts';
import { callsSuite } from './webhdfs-calls.ts';
import { faultsSuite } from './webhdfs-faults.ts';
import {
  begin,
  clientOf,
  contentOf,
  type Door,
  finish,
  megabyte,
  ofKind,
  superuser,
  write,
} from './webhdfs-support.ts';

const missing = javaMissing();
const skip = missing === undefined ? false : `HDFS cannot be started: ${missing}`;

test('every call, every refusal, every lost answer, through the NameNode and through HttpFS', { skip }, async (t) => {
  const classPath = await buildJava(hadoopFolder, t);
  if (classPath === undefined) return;
  const cluster = await startCluster(t, classPath, { httpFs: true, https: true });
  const [address = ''] = cluster.webAddresses;
  const make = (name: Door['name'], base: string, address: string, options: Partial<WebOptions> = {}): Door => {
    const top = `/${name.replaceAll(' ', '-')}`;
    return { name, base, address, options, files: clientOf(t, [base], options), top, cluster };
  };
  const direct = make('WebHDFS', `http://${address}`, address);
  const secure = make('WebHDFS by HTTPS', `https://${cluster.secureAddresses[0]}`, address, {
    ca: cluster.certificate,
  });
  const gateway = make('HttpFS', `http://${cluster.httpFsAddress}`, cluster.httpFsAddress);
  const doors = [direct, secure, gateway];
  for (const door of doors) await callsSuite(t, door);
  for (const door of doors) {
    if (door.name !== 'WebHDFS by HTTPS') await faultsSuite(t, door);
  }

  await t.test('a body that stands still: a DataNode waits, HttpFS does not', async () => {
    const one = await begin(direct.files, '/still/direct');
    const other = await begin(gateway.files, '/still/gateway');
    await Promise.all([one, other].map((stream) => stream.write(Buffer.from('x'))));
    await new Promise((resolve) => setTimeout(resolve, httpFsIdleMs + 2000));
    await finish(one, megabyte);
    await assert.rejects(finish(other, megabyte));
    assert.equal((await direct.files.status('/still/gateway'))?.lengthBytes, 1);
  });

  await t.test('HTTPS: a certificate that nobody vouches for', async () => {
    const files = clientOf(t, [secure.base]);
    await assert.rejects(files.status('/'), ofKind('network', /SELF_SIGNED_CERT/, 'notDone'));
  });

  await t.test('HttpFS: a token says who one is, and a wrong one nothing', async () => {
    const base = `http://${cluster.httpFsAddress}`;
    const asked = await fetch(`${base}/webhdfs/v1/?op=GETDELEGATIONTOKEN&renewer=${superuser}&user.name=carol`);
    const { Token } = (await asked.json()) as { Token: { urlString: string } };
    const carol = clientOf(t, [base], { delegationToken: () => Token.urlString });
    assert.equal((await carol.introduce('/')).home, '/user/carol');
    const nobody = clientOf(t, [base], { delegationToken: () => 'nonsense' });
    await assert.rejects(nobody.status('/'), ofKind('unauthenticated', /correct the user or the password, or/));
  });

  await t.test('a DataNode that is down, and a NameNode that is', async () => {
    const { files } = direct;
    await write(files, '/down/kept', megabyte);
    await cluster.dataNodes[0]?.kill();
    // Named to the NameNode as one to leave out; there is no other.
    await assert.rejects(files.create('/down/a'), ofKind('retriable', /excludeDatanodes=127\.0\.0\.1/));
    await cluster.nameNodes[0]?.kill();
    await assert.rejects(files.status('/'), ofKind('network', /cannot look at \/: .*ECONNREFUSED/, 'notDone'));
    await Promise.all([cluster.nameNodes[0]?.start(), cluster.dataNodes[0]?.start()]);
    await cluster.waitReady();
    assert.ok((await contentOf(address, '/down/kept')).equals(megabyte));
  });
});
