/** What each call of a FileSystem does in HDFS, whichever way it goes there. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { HdfsError } from '../../src/adapters/sinks/hdfs/web/hdfs-error.ts';
import type { WebFileSystem } from '../../src/adapters/sinks/hdfs/web/web-file-system.ts';
import {
  begin,
  clientOf,
  contentOf,
  type Door,
  detailsOf,
  finish,
  megabyte,
  namesIn,
  ofKind,
  until,
  write,
} from './webhdfs-support.ts';

/** What each call does, and what is refused. */
export async function callsSuite(t: TestContext, door: Door): Promise<void> {
  const { name, base, address, options, files, top, cluster } = door;
  await t.test(`${name}: a file's whole life`, async () => {
    const [path, final] = [`${top}/life/a.tmp`, `${top}/life/a`];
    assert.equal(await files.status(path), undefined);
    const stream = await begin(files, path);
    await stream.write(megabyte);
    await stream.write(Buffer.from('end'));
    // Nothing of it is there to be read.
    assert.equal((await files.status(path))?.lengthBytes ?? 0, 0);
    await stream.end();
    const found = await files.status(path);
    assert.equal(found?.lengthBytes, megabyte.length + 3);
    assert.equal(found.kind, 'file');
    const { permission, replication, blockSize } = await detailsOf(address, path);
    assert.deepEqual(
      { permission, replication, blockSize },
      { permission: '640', replication: 1, blockSize: 1024 ** 2 },
    );
    assert.equal(await files.leastReplicas(path), 1);
    await files.rename(path, final);
    assert.deepEqual(await files.status(final), found);
    assert.equal(await files.status(path), undefined);
    await finish(await files.append(final), Buffer.from(' and more'));
    assert.equal((await files.status(final))?.fileId, found.fileId);
    assert.ok((await contentOf(address, final)).equals(Buffer.concat([megabyte, Buffer.from('end and more')])));
    await until(() => files.truncate(final, 15), 'cut');
    assert.equal((await contentOf(address, final)).toString(), 'a line of text\n');
    assert.equal(await files.delete(final), true);
    assert.equal(await files.delete(final), false);
  });

  await t.test(`${name}: directories, and a file that is there`, async () => {
    const directory = `${top}/made/b/c`;
    await Promise.all([files.makeDirectories(directory), files.makeDirectories(directory)]);
    assert.equal((await detailsOf(address, directory))['permission'], '750');
    assert.equal((await files.status(directory))?.kind, 'directory');
    await write(files, `${directory}/d`, Buffer.from('first'));
    assert.equal(await files.create(`${directory}/d`), undefined);
    assert.equal((await contentOf(address, `${directory}/d`)).toString(), 'first');
    await assert.rejects(files.delete(directory), ofKind('refused', /cannot delete .*\/c: it is a directory/));
    await assert.rejects(files.makeDirectories(`${directory}/d`), ofKind('exists', /cannot make the directory/));
    assert.equal(await files.status(`${directory}/d/e`), undefined);
    const behind = files.create(`${directory}/d/e`).then((stream) => stream && finish(stream, megabyte));
    await assert.rejects(behind, ofKind('notDirectory', /cannot .*\/d\/e: .*a part of the path is a file/));
  });

  await t.test(`${name}: every character that a name may hold`, async () => {
    const path = `${top}/names/a b%41+c;d?e#f=g&h'(ü€😀)*!@$,[]{}|^~\`"<>.tmp`;
    await write(files, path, Buffer.from('x'));
    await files.rename(path, `${path}2`);
    assert.equal((await files.status(`${path}2`))?.lengthBytes, 1);
    assert.equal(await files.status(path), undefined);
    assert.equal(await files.delete(`${path}2`), true);
    await assert.rejects(
      files.create(`${top}/a:b`).then((stream) => stream?.end()),
      ofKind('invalid'),
    );
    await assert.rejects(files.status(`${top}/../x`), ofKind('invalid', /no path of HDFS/));
  });

  await t.test(`${name}: an open file can be renamed and deleted, and has one writer`, async () => {
    const [path, moved, gone] = [`${top}/open/a`, `${top}/open/b`, `${top}/open/c`];
    const stream = await begin(files, path);
    await stream.write(megabyte);
    await until(async () => (await files.status(path)) !== undefined, 'seen');
    const other = await files.append(path);
    await assert.rejects(finish(other, Buffer.from('x')), ofKind('lease', /cannot (write to|finish) /));
    await files.rename(path, moved);
    assert.equal((await files.status(moved))?.lengthBytes, 0);
    await stream.end();
    assert.equal((await files.status(moved))?.lengthBytes, megabyte.length);
    const fenced = await begin(files, gone);
    await fenced.write(Buffer.from('x'));
    await until(async () => (await files.status(gone)) !== undefined, 'seen');
    assert.equal(await files.delete(gone), true);
    await assert.rejects(finish(fenced, megabyte), ofKind('missing'));
    assert.equal(await files.status(gone), undefined);
  });

  await t.test(`${name}: a body that breaks off leaves a file that looks complete`, async () => {
    const path = `${top}/cut/a`;
    const stream = await begin(files, path);
    await stream.write(Buffer.from('half'));
    await until(async () => (await files.status(path)) !== undefined, 'seen');
    await stream.abort();
    await until(async () => (await files.status(path))?.lengthBytes === 4, 'closed');
    const more = await files.append(path);
    await more.write(megabyte);
    await more.abort();
    // That body may still be on its way, to this path: under another one it cannot reach the file any more.
    await files.rename(path, `${path}2`);
    await until(() => files.truncate(`${path}2`, 4), 'cut');
    await finish(await files.append(`${path}2`), Buffer.from(' and half'));
    assert.equal((await contentOf(address, `${path}2`)).toString(), 'half and half');
  });

  await t.test(`${name}: renames that do nothing`, async () => {
    const [path, taken, directory] = [`${top}/rename/a`, `${top}/rename/b`, `${top}/rename/c`];
    await Promise.all([path, taken].map((one) => write(files, one, Buffer.from(one))));
    await files.makeDirectories(directory);
    const isTold = name !== 'HttpFS';
    await assert.rejects(files.rename(path, taken), ofKind(isTold ? 'exists' : 'refused'));
    await assert.rejects(files.rename(`${path}x`, `${path}y`), ofKind(isTold ? 'missing' : 'refused'));
    await assert.rejects(files.rename(path, `${top}/none/a`), ofKind(isTold ? 'missing' : 'refused'));
    assert.equal((await contentOf(address, taken)).toString(), taken);
    // HttpFS moves it into the directory.
    const into = files.rename(path, directory);
    await (isTold ? assert.rejects(into, ofKind('refused')) : into);
    assert.equal((await files.status(`${directory}/a`)) === undefined, isTold);
  });

  await t.test(`${name}: safe mode, quotas, rights`, async () => {
    const [nameNode] = cluster.nameNodes;
    assert.ok(nameNode !== undefined);
    const make = async (path: string, client: WebFileSystem = files): Promise<void> => {
      const stream = await client.create(path);
      if (stream !== undefined) await finish(stream, Buffer.concat([megabyte, megabyte, megabyte]));
    };
    const directory = `${top}/limits`;
    await nameNode.tell('own', directory, 'alice', 'people', '750');
    await nameNode.tell('safemode', 'on');
    await assert.rejects(make(`${directory}/a`), ofKind('retriable', /[Ss]afe ?mode.*: wait, or look at/));
    await assert.rejects(files.makeDirectories(`${directory}/a`), ofKind('retriable'));
    await assert.rejects(files.rename(directory, `${directory}2`), ofKind('retriable', /./, 'notDone'));
    await nameNode.tell('safemode', 'off');
    await nameNode.tell('names', directory, '1');
    await assert.rejects(make(`${directory}/a`), ofKind('quota', /raise the quota, or remove files/));
    await nameNode.tell('names', directory, '-1');
    // Room for one block of one megabyte: told in mid-body.
    await nameNode.tell('bytes', directory, '1500000');
    await assert.rejects(make(`${directory}/a`), ofKind('quota', /cannot (write to|finish) .*\/a: /));
    await until(
      async () => (await files.delete(`${directory}/a`)) || (await files.status(directory)) === undefined,
      'deleted',
    );
    await nameNode.tell('bytes', directory, '-1');
    await make(`${directory}/a`);
    const bob = clientOf(t, [base], { ...options, user: 'bob' });
    await assert.rejects(make(`${directory}/b`, bob), ofKind('access', /bob.*give this user the right there/));
    await assert.rejects(bob.status(`${directory}/a`), ofKind('access'));
    const alice = clientOf(t, [base], { ...options, proxyUser: 'alice' });
    await make(`${directory}/b`, alice);
    assert.equal((await detailsOf(address, `${directory}/b`))['owner'], 'alice');
  });

  await t.test(`${name}: who one is, where, and what one may`, async () => {
    const directory = `${top}/who`;
    await cluster.nameNodes[0]?.tell('own', directory, 'alice', 'people', '750');
    const said = await clientOf(t, [base], { ...options, user: 'alice' }).introduce(`${directory}/x/y`);
    const { address: at, home, found, refusal } = said;
    assert.deepEqual([at, home, found.path], [base, '/user/alice', directory]);
    assert.deepEqual([found.owner, found.group, found.permission, refusal], ['alice', 'people', '750', undefined]);
    const bob = await clientOf(t, [base], { ...options, user: 'bob' }).introduce(`${directory}`);
    assert.equal((bob.refusal as HdfsError | undefined)?.kind, 'access');
    await files.proveActive(directory);
    await files.proveActive('/');
    assert.deepEqual(await namesIn(address, directory), []);
  });
}
