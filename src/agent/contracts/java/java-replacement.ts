/** Java's replacement texts, as of Matcher.replaceAll: `$1`, `${name}`, a backslash before what stands for itself. */
import type { PatternProblem } from './pattern-tree.ts';

/** A replacement for the pattern it was compiled with: texts, and the numbers of groups. */
export type JavaReplacement = readonly (string | number)[];

/** What a replacement may refer to. */
export interface ReplacementGroups {
  readonly groupCount: number;
  readonly groupNames: ReadonlyMap<string, number>;
}

/** Compiles a replacement, or says where it is wrong: Java would throw at the first match. */
export function compileReplacement(
  groups: ReplacementGroups,
  source: string,
): { readonly replacement: JavaReplacement } | { readonly problem: PatternProblem } {
  const parts: (string | number)[] = [];
  let text = '';
  let index = 0;
  while (index < source.length) {
    const one = source[index] ?? '';
    if (one === '\\') {
      if (index + 1 === source.length) return fail(index, 'a backslash at the end: write \\\\ for one');
      text += source[index + 1];
      index += 2;
    } else if (one === '$') {
      const reference = readReference(groups, source, index);
      if ('problem' in reference) return reference;
      parts.push(text, reference.group);
      text = '';
      index = reference.end;
    } else {
      text += one;
      index += 1;
    }
  }
  parts.push(text);
  return { replacement: parts.filter((part) => part !== '') };
}

function fail(index: number, message: string): { readonly problem: PatternProblem } {
  return { problem: { index, message } };
}

/** Reads the reference whose `$` stands at `index`. */
function readReference(
  { groupCount, groupNames }: ReplacementGroups,
  source: string,
  index: number,
): { readonly group: number; readonly end: number } | { readonly problem: PatternProblem } {
  if (source[index + 1] === '{') {
    const named = /^\$\{([A-Za-z][A-Za-z0-9]*)\}/.exec(source.slice(index));
    if (named === null) return fail(index, "'$' and { need a group's name (letters and digits) and }");
    const group = groupNames.get(named[1] ?? '');
    return group === undefined
      ? fail(index, `there is no group named '${named[1]}'`)
      : { group, end: index + named[0].length };
  }
  const digits = /^[0-9]+/.exec(source.slice(index + 1))?.[0] ?? '';
  if (digits === '') return fail(index, "'$' needs the number or {name} of a group: write \\$ for a dollar sign");
  let group = Number(digits[0]);
  if (group > groupCount) return fail(index, `there is no group ${group}: the pattern has ${groupCount}`);
  // As many digits as make the number of a group that is there.
  let length = 1;
  while (length < digits.length && group * 10 + Number(digits[length]) <= groupCount) {
    group = group * 10 + Number(digits[length]);
    length += 1;
  }
  return { group, end: index + 1 + length };
}
