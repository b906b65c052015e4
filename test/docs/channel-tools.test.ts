/** docs/channel-tools.md shows what the commands print, and names every command there is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { channelCommand } from '../../src/cli/channel/channel-command.ts';
import { withoutSizes } from '../cli/channels/golden-text.ts';
import { withOutputs } from '../support/channel-tools-page.ts';
import { forebay } from '../support/forebay-here.ts';
import { root } from '../support/source.ts';
import { tempDir } from '../support/temp-dir.ts';

const page = readFileSync(join(root, 'docs/channel-tools.md'), 'utf8');

test('docs/channel-tools.md prints what its commands print', async (t) => {
  const printed = await withOutputs(page, () => tempDir(t));
  assert.equal(withoutSizes(printed), withoutSizes(page), 'npm run docs:update');
  assert.ok(page.split('\n').filter((line) => line.startsWith('$ forebay channel ')).length >= 12);
});

test('the help of each command has an example, and its exit statuses', async () => {
  for (const command of channelCommand(() => undefined).commands) {
    const { status, stdout } = await forebay('channel', command.name(), '--help');
    assert.equal(status, 0);
    assert.match(
      stdout,
      new RegExp(`\\nExamples?:\\n[\\s\\S]*  \\$ forebay channel ${command.name()}`),
      command.name(),
    );
    assert.match(stdout, /\nExit status: 0 [\s\S]*1 failed[\s\S]*64 usage/, command.name());
  }
});

test('docs/channel-tools.md names every command of forebay channel', () => {
  const { commands } = channelCommand(() => undefined);
  assert.ok(commands.length >= 8);
  for (const command of commands)
    assert.ok(page.includes(`| \`${command.name()}`), `${command.name()} has no row in the first table`);
});
