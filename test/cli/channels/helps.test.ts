/** Each verb of `forebay channel` says how it is used, with an example, and how it ends. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { channelCommand } from '../../../src/cli/channel/channel-command.ts';
import { forebay } from '../../support/forebay-here.ts';

/** What an `Exit status:` may name. */
const statuses = /^(0|1|2|64|75|78|130|143)$/;

test('each verb has a summary, a description, an example of itself and its exit statuses', async () => {
  const verbs = channelCommand(() => undefined).commands;
  assert.ok(verbs.length >= 11, `${verbs.length} verbs`);
  for (const verb of verbs) {
    const name = verb.name();
    const { status, stdout, stderr } = await forebay('channel', name, '--help');
    assert.deepEqual([status, stderr], [0, ''], name);
    assert.notEqual(verb.summary(), '', `${name}: a summary`);
    assert.match(verb.description(), /^[A-Z].*\.$/s, `${name}: a description in sentences`);
    const examples = /^Examples?:\n(( {2}\S.*\n|\s+\S.*\n)+)/m.exec(stdout)?.[1] ?? '';
    assert.match(examples, new RegExp(`^ {2}\\$ forebay channel ${name}( |$)`, 'm'), `${name}: an example`);
    const [, told = ''] = /^Exit status: (.*)$/ms.exec(stdout) ?? [];
    const named: readonly string[] = told.match(/(?<![\w-])\d+(?![\w-])/g) ?? [];
    for (const one of named) assert.match(one, statuses, `${name}: a status`);
    for (const one of ['0', '1', '64']) assert.ok(named.includes(one), `${name}: status ${one}`);
    assert.match(told, /\.\s*$/, `${name}: it ends as a sentence does`);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 150, `${name}: ${line}`);
  }
  console.log(`shows: ${verbs.length} verbs of \`forebay channel\`, each with an example and its exit statuses`);
});
