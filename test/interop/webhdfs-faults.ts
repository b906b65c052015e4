/** Requests and answers that get lost between us and HDFS. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startFaultProxy } from './hadoop-cluster/fault-proxy.ts';
import { clientOf, contentOf, type Door, finish, megabyte, ofKind, until, write } from './webhdfs-support.ts';

/** What becomes of a call whose request or answer is lost, late or repeated. */
export async function faultsSuite(t: TestContext, { name, address, top }: Door): Promise<void> {
  await t.test(`${name}: answers that are lost, requests that are cut, repeated and late`, async () => {
    const proxy = await startFaultProxy(t, address);
    const files = clientOf(t, [proxy.address], { callTimeoutMs: 2000 });
    const directory = `${top}/faults`;
    let next = 0;
    const fresh = (): string => {
      next += 1;
      return `${directory}/${next}`;
    };
    const late = { before: () => new Promise<void>((resolve) => setTimeout(resolve, 3000)) };
    for (const cut of ['request', 'answer'] as const) {
      // What can be repeated is. HttpFS is asked where to only once: the rest goes to it at once.
      const asks = name === 'WebHDFS' || cut === 'request' ? ['GETFILESTATUS', 'CREATE'] : ['GETFILESTATUS'];
      for (const kind of asks) proxy.spoil(kind, 1, { cut });
      const path = fresh();
      await write(files, path, Buffer.from('x'));
      if (name === 'WebHDFS') proxy.spoil('APPEND', 1, { cut });
      await finish(await files.append(path), Buffer.from('y'));
      proxy.spoil('MKDIRS', 1, { cut });
      await files.makeDirectories(`${directory}/d`);
      // What cannot is told.
      proxy.spoil('RENAME', 1, { cut });
      await assert.rejects(files.rename(path, `${path}r`), ofKind('network', /may have been done/, 'unknown'));
      assert.equal((await files.status(path)) === undefined, cut === 'answer');
      const now = cut === 'answer' ? `${path}r` : path;
      proxy.spoil('TRUNCATE', 1, { cut });
      await assert.rejects(files.truncate(now, 1), ofKind('network', /cannot cut to 1 bytes/, 'unknown'));
      await until(() => files.truncate(now, 1), 'cut');
      proxy.spoil('DELETE', 1, { cut });
      await assert.rejects(files.delete(now), ofKind('network', /cannot delete/, 'unknown'));
      assert.equal(await files.delete(now), cut === 'request');
    }
    for (const afterBytes of [0, 500_000, 1_000_000]) {
      const path = fresh();
      proxy.spoil('CREATE body', 1, { cut: { afterBytes } });
      const cut = files.create(path).then((stream) => stream && finish(stream, megabyte));
      await assert.rejects(cut, ofKind('network', /cannot (create|write to|finish)/, 'unknown'));
      // Of what was on its way HDFS may have got all, some or nothing; and the file looks complete.
      const left = (await files.status(path))?.lengthBytes ?? 0;
      assert.ok(left <= afterBytes, `${left} of ${afterBytes} bytes`);
      await files.delete(path);
      assert.equal(await files.status(path), undefined);
    }
    const theirs = fresh();
    const other = clientOf(t, [`http://${address}`]);
    const isDirect = name === 'WebHDFS';
    const before = (): Promise<void> => write(other, theirs, Buffer.from('theirs'));
    proxy.spoil(isDirect ? 'CREATE' : 'CREATE body', 1, { before });
    const taken = files.create(theirs).then((stream) => stream && finish(stream, megabyte));
    // Through a gateway it is known only later.
    await (isDirect ? taken : assert.rejects(taken, ofKind('exists')));
    assert.equal((await contentOf(address, theirs)).toString(), 'theirs');
    const path = fresh();
    proxy.spoil('CREATE body', 1, { cut: 'answer' });
    await assert.rejects(write(files, path, megabyte), ofKind('network', /cannot finish/, 'unknown'));
    assert.equal((await files.status(path))?.lengthBytes, megabyte.length);
    proxy.spoil('RENAME', 1, { repeat: true });
    await assert.rejects(files.rename(path, `${path}r`), ofKind(isDirect ? 'missing' : 'refused'));
    assert.equal((await files.status(`${path}r`))?.lengthBytes, megabyte.length);
    proxy.spoil('RENAME', 1, late);
    await assert.rejects(files.rename(`${path}r`, path), ofKind('network', /silent for 2000 ms/, 'unknown'));
    assert.equal(await files.status(path), undefined);
    // It was only late.
    await until(async () => (await files.status(path)) !== undefined, 'renamed');
    assert.equal(proxy.waiting, 0);
  });
}
