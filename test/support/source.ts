/**
 * The project's own sources as the rule tests (rooms, tidy, exports) read them: which files there are, their
 * text with comments or string contents blanked, what they import. No parser: TypeScript 7 has no API for one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const root: string = resolve(fileURLToPath(import.meta.url), '../../..');

/** A file of the repository, `path` relative to its top. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Tracked files and new ones that are not ignored, below `folders` (all without), sorted. */
export function listPaths(folders: readonly string[] = []): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', ...folders];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\0');
  return [...new Set(names)].filter((name) => name !== '' && existsSync(resolve(root, name))).sort();
}

/** The TypeScript files below `folders`. */
export function readSources(folders: readonly string[]): SourceFile[] {
  return listPaths(folders)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(resolve(root, path), 'utf8') }));
}

type Piece = 'code' | 'comment' | 'string';

/** Where a slash begins a regular expression: after an operator, an opening bracket or one of these words. */
const beforeRegExp = /(?:^|[([{,;=:?!&|+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|await|yield|void))\s*$/;
const lineComment = /\/\/[^\n]*/y;
const blockComment = /\/\*[\s\S]*?\*\//y;
const quoted = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const regExp = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const templatePart = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** What is at `at`, where it is no plain code: a comment, a string, a regular expression. */
function pieceAt(text: string, at: number, codeBefore: string): [Piece, string] | undefined {
  if (!/['"/]/.test(text[at] ?? '')) return undefined;
  const comment = matchAt(lineComment, text, at) ?? matchAt(blockComment, text, at);
  if (comment !== undefined) return ['comment', comment];
  const string = matchAt(quoted, text, at);
  if (string !== undefined) return ['string', string];
  if (text[at] !== '/' || !beforeRegExp.test(codeBefore.slice(-40))) return undefined;
  const expression = matchAt(regExp, text, at);
  return expression === undefined ? undefined : ['string', expression];
}

/** `piece` with everything but line ends and, for strings, the first and last character as spaces. */
function blank(piece: string, edges: boolean): string {
  const spaces = piece.replace(/[^\n]/g, ' ');
  return edges && piece.length > 1 ? `${piece[0]}${spaces.slice(1, -1)}${piece.at(-1)}` : spaces;
}

/**
 * `text` with comments blanked and, unless `keepStrings`, the insides of strings, templates and regular
 * expressions. Lines and columns stay. Code inside `${}` counts as code.
 */
export function codeOf(text: string, keepStrings = false): string {
  let code = '';
  let at = 0;
  /** For each `${` still open, how many braces are open inside it. */
  const templates: number[] = [];
  const takeTemplatePart = (): void => {
    const part = matchAt(templatePart, text, at) ?? '';
    code += keepStrings ? part : blank(part, false);
    at += part.length;
    if (text.startsWith('${', at)) templates.push(0);
    const end = text.startsWith('${', at) ? '${' : text.slice(at, at + 1);
    code += end;
    at += end.length;
  };
  while (at < text.length) {
    const piece = pieceAt(text, at, code);
    const char = text[at] ?? '';
    const depth = templates.at(-1);
    if (piece !== undefined) {
      const [kind, raw] = piece;
      code += kind === 'comment' ? blank(raw, false) : keepStrings ? raw : blank(raw, true);
      at += raw.length;
      continue;
    }
    code += char;
    at += 1;
    if (char === '`') takeTemplatePart();
    else if (depth !== undefined && char === '{') templates[templates.length - 1] = depth + 1;
    else if (depth !== undefined && char === '}' && depth > 0) templates[templates.length - 1] = depth - 1;
    else if (depth !== undefined && char === '}') {
      templates.pop();
      takeTemplatePart();
    }
  }
  return code;
}

/** One import or re-export. `kind`: erased, run when the module loads, or run when the code gets there. */
export interface Import {
  readonly specifier: string;
  readonly kind: 'type' | 'static' | 'dynamic';
}

const staticImport = /(?:^|[;}\n])[ \t]*(?:import|export)\s+(type\b)?[^'";=()]*?\bfrom\s*['"]([^'"]+)['"]/g;
const bareImport = /(?:^|[;}\n])[ \t]*import\s*['"]([^'"]+)['"]/g;
const dynamicImport = /\b(?:import|require|require\.resolve|import\.meta\.resolve)\s*\(\s*['"`]([^'"`]+)['"`]/g;

/** Every module that `text` names in an import, an export … from, an import() or a require(). */
export function importsOf(text: string): Import[] {
  const code = codeOf(text, true);
  const found: Import[] = [];
  for (const [, type, specifier = ''] of code.matchAll(staticImport)) {
    found.push({ specifier, kind: type === undefined ? 'static' : 'type' });
  }
  for (const [, specifier = ''] of code.matchAll(bareImport)) found.push({ specifier, kind: 'static' });
  for (const [, specifier = ''] of code.matchAll(dynamicImport)) found.push({ specifier, kind: 'dynamic' });
  return found;
}
