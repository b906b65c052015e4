/**
 * Runs a configuration in a directory of the test's own: its file is copied there with the places in it replaced that
 * the file itself lists, and nothing else.
 */
import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../support/source.ts';

const here = join(root, 'test/configs');
const listed = /^# Replaced in the test: (.+)$/m;

/** Copies `NAME.properties` into `dir`, modules of its own beside it; resolves to the copy. */
export async function placeConfiguration(name: string, dir: string): Promise<string> {
  const text = await readFile(join(here, `${name}.properties`), 'utf8');
  const copy = join(dir, `${name}.properties`);
  await writeFile(copy, withPlaces(text, dir));
  // Their own imports are still found: a module is loaded from where it really is.
  await symlink(join(here, 'custom'), join(dir, 'custom')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return copy;
}

function withPlaces(text: string, dir: string): string {
  const places = listed.exec(text)?.[1]?.split(' ') ?? [];
  for (const place of places) assert.ok(text.split(place).length > 2, `${place} is listed, and is not in the file`);
  const replaced = text.replace(listed, '');
  if (places.length === 0) return replaced;
  const pattern = new RegExp(places.map((place) => place.replaceAll(/[.$(){}[\]]/g, '\\$&')).join('|'), 'g');
  return replaced.replace(pattern, (place) => placeIn(dir, place));
}

/** A path below `dir`, any port that is free, this machine. */
function placeIn(dir: string, place: string): string {
  if (place === '0.0.0.0') return '127.0.0.1';
  if (place === 'hdfs://namenode') return `file://${dir}`;
  return place.startsWith('/') ? `${dir}${place}` : '0';
}
